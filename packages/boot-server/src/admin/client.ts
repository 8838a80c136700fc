// What `ingot boot` asks a running boot server; apart from the server itself, so that the command starts quickly.
import { request as httpRequest } from 'node:http';
import type { z } from 'zod';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { simulateAnswerWire, type SimulateAnswer, type SimulateRequest } from '../simulate/wire.ts';
import { debugKeyWire, errorWire, leasesWire, machinesWire, reloadWire, timelineWire } from './wire.ts';
import type { DebugKeyWire, LeaseWire, MachineWire, ReloadWire, TimelineWire } from './wire.ts';

export type { AdminJson, DebugKeyWire, EntryWire, LeaseWire, MachineWire, ReloadWire, TimelineWire } from './wire.ts';
export type { SimulateAnswer, SimulatedOption, SimulatedStep, SimulateRequest } from '../simulate/wire.ts';
export { BootServerError, BootServerErrorCode } from '../errors.ts';

/**
 * Every call rejects with BootServerError: ADMIN_AWAY when no server answers on the socket, ADMIN_REFUSED when it says
 * no, with its words.
 */
export interface AdminClient {
  machines(): Promise<MachineWire[]>;
  /** By MAC or UUID; only what is newer than entry `after`. */
  timeline(id: string, after?: number): Promise<TimelineWire>;
  /** What SSH into the boot of a machine takes, by MAC or UUID. */
  debugKey(id: string): Promise<DebugKeyWire>;
  leases(): Promise<LeaseWire[]>;
  /** What a machine would be told now; nothing is written, and no machine notices. */
  simulate(request: SimulateRequest): Promise<SimulateAnswer>;
  /** Reads the configuration again; refused with all that is wrong with it. */
  reload(): Promise<ReloadWire>;
}

const TIMEOUT_MS = 10_000;
/** The timeline of a machine with many NICs has some 500 KB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** A client of the boot server behind the unix socket `path`. */
export function adminClient(path: string): AdminClient {
  const get = async <T>(url: string, schema: z.ZodType<T>): Promise<T> =>
    parse(await ask(path, 'GET', url), schema, path);
  return {
    machines: async () => (await get('/v1/machines', machinesWire)).machines,
    timeline: (id, after = 0) => get(`/v1/machines/${encodeURIComponent(id)}/timeline?after=${after}`, timelineWire),
    debugKey: (id) => get(`/v1/machines/${encodeURIComponent(id)}/debug-key`, debugKeyWire),
    leases: async () => (await get('/v1/leases', leasesWire)).leases,
    simulate: async (request) => parse(await ask(path, 'POST', '/v1/simulate', request), simulateAnswerWire, path),
    reload: async () => parse(await ask(path, 'POST', '/v1/reload'), reloadWire, path),
  };
}

function parse<T>(value: unknown, schema: z.ZodType<T>, path: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BootServerError(
    BootServerErrorCode.AdminAway,
    `what answers on ${path} is no boot server of this version: ${parsed.error.issues[0]?.message ?? ''}`,
  );
}

async function ask(path: string, method: 'GET' | 'POST', url: string, body?: unknown): Promise<unknown> {
  const { status, text } = await exchange(path, method, url, body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BootServerError(BootServerErrorCode.AdminAway, `what answers on ${path} is no boot server`, cause);
  }
  if (status === 200) return value;
  const refusal = errorWire.safeParse(value);
  throw new BootServerError(
    BootServerErrorCode.AdminRefused,
    refusal.success ? refusal.data.message : `the boot server answers ${status}`,
  );
}

function exchange(
  path: string,
  method: string,
  url: string,
  body: unknown,
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const away = (cause: Error & { code?: string }): void => {
      reject(
        new BootServerError(BootServerErrorCode.AdminAway, `${reason(cause.code, path)} (${cause.message})`, cause),
      );
    };
    const call = httpRequest({ socketPath: path, method, path: url, timeout: TIMEOUT_MS, agent: false }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        size += part.byteLength;
        if (size > MAX_ANSWER_BYTES) call.destroy(new Error('the answer has no end'));
      });
      response.once('error', away);
      response.once('end', () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString('utf8') }));
    });
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
    call.once('error', away);
    if (body !== undefined) call.setHeader('content-type', 'application/json');
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function reason(code: string | undefined, path: string): string {
  switch (code) {
    case 'EACCES':
      return `${path} is for its owner only: run this as root or as the boot server's user`;
    case 'ENOENT':
    case 'ECONNREFUSED':
      return `no boot server runs behind ${path}: start it, or name its socket with --socket or its configuration with --config`;
    default:
      return `the boot server behind ${path} cannot be asked`;
  }
}
