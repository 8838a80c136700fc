import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { adminV2, apiV2, createChannel, createClient, durationFromMs, infraV2, type Channel } from '@ingot/api';
import { median } from '../bench/support/compare.ts';
import { keepCalling, MACHINE, waitForMachine, type Honest } from './honest-api-clients.ts';
import { readComplaints, type Complaint } from '../support/complaints.ts';
import { readMemoryMb } from '../support/process-stat.ts';

const START_TIMEOUT_MS = 30_000;
/** So few that the attack takes all of them: the server is to keep what it needs itself. */
const OPEN_FILES = 700;

export interface HostileApiOptions {
  readonly seconds: number;
  readonly seed: number;
}

export interface HostileApiResult {
  readonly seconds: number;
  /** What the hostile clients did, by kind. */
  readonly attacks: Readonly<Record<string, number>>;
  /** One that keeps its connection, one that makes a new one each time, and one that waits meanwhile for a machine. */
  readonly honest: { readonly kept: Honest; readonly fresh: Honest };
  readonly waitEnded: string | undefined;
  readonly rss: { readonly before: number; readonly middle: number; readonly end: number; readonly peak: number };
  /** Undefined while the server runs. */
  readonly exited: string | undefined;
  readonly complaints: readonly Complaint[];
  readonly logBytes: number;
  /** How much the data directory has grown. */
  readonly grownBytes: number;
  /** From SIGTERM to its end, with streams open. */
  readonly stopMs: number;
  readonly stopCode: number | null;
}

/** Hostile clients of a real API server of its own process, and honest ones beside them. */
export async function hostileApi({ seconds, seed }: HostileApiOptions): Promise<HostileApiResult> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-hostile-api-'));
  const server = await startServer(directory);
  const channels: Channel[] = [];
  const open = (token: string): Channel => {
    const channel = createChannel({ url: server.url, ca: server.ca, token });
    channels.push(channel);
    return channel;
  };
  const stop = new AbortController();
  const samples: number[] = [readMemoryMb(server.pid).now];
  try {
    const admin = open(server.adminToken);
    const mint = async (rights: Parameters<typeof tokens.create>[0]['tokenCreateRequest']): Promise<string> =>
      (await tokens.create({ tokenCreateRequest: { expires: durationFromMs(24 * 3_600_000), ...rights } })).secret;
    const tokens = createClient(adminV2.TokenService, admin);
    // A token of infrastructure has no limit of calls: the worst that can be stolen from a leaf.
    const stolen = join(directory, 'stolen.token');
    writeFileSync(
      stolen,
      await mint({ infraRole: apiV2.InfraRole.VIEWER, machineRoles: { [MACHINE]: apiV2.MachineRole.EDITOR } }),
    );
    const agent = await mint({ infraRole: apiV2.InfraRole.EDITOR, machineRoles: { '*': apiV2.MachineRole.EDITOR } });
    await createClient(infraV2.BootService, open(agent)).dhcp({ uuid: MACHINE, partition: 'lab' });

    const sizeBefore = sizeOf(server.dataDir);
    const waiting = waitForMachine(open(agent), stop.signal);
    const sampling = sample(server.pid, samples, stop.signal);
    const honest = Promise.all([
      keepCalling(() => open(agent), false, stop.signal),
      keepCalling(() => open(agent), true, stop.signal),
    ]);
    const startedAt = performance.now();
    const attacks = await attack(server, stolen, seconds, seed);
    const took = (performance.now() - startedAt) / 1_000;
    stop.abort();
    const [kept, fresh] = await honest;
    await sampling;
    const exited = server.exited();
    const waitEnded = await waiting;
    const stopped = await server.stop();
    const share = (from: number, to: number): number =>
      median(samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to)));
    return {
      seconds: took,
      attacks,
      honest: { kept, fresh },
      waitEnded,
      rss: { before: samples[0] ?? 0, middle: share(0.4, 0.6), end: share(0.9, 1), peak: Math.max(...samples) },
      exited,
      complaints: await readComplaints(server.log),
      logBytes: statSync(server.log).size,
      grownBytes: sizeOf(server.dataDir) - sizeBefore,
      ...stopped,
    };
  } finally {
    stop.abort();
    for (const channel of channels) channel.close();
    await server.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Server {
  readonly pid: number;
  readonly url: string;
  readonly ca: string;
  readonly caFile: string;
  readonly adminToken: string;
  readonly dataDir: string;
  readonly log: string;
  exited(): string | undefined;
  stop(): Promise<{ readonly stopMs: number; readonly stopCode: number | null }>;
  kill(): Promise<void>;
}

async function startServer(directory: string): Promise<Server> {
  const [dataDir, log, config] = [join(directory, 'data'), join(directory, 'log'), join(directory, 'config.yaml')];
  const bootConfiguration = { kernelUrl: 'http://10.0.0.1/vmlinuz', imageUrl: 'http://10.0.0.1/initrd' };
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({ dataDir, listen: ['127.0.0.1:0'], partitions: [{ id: 'lab', bootConfiguration }] }),
  );
  const launcher = new URL('../../packages/cli/src/main.ts', import.meta.url).pathname;
  const output = openSync(log, 'w');
  const child: ChildProcess = spawn(
    'prlimit',
    [`--nofile=${OPEN_FILES}:${OPEN_FILES}`, process.execPath, launcher, 'api-server', '--config', config],
    { stdio: ['ignore', output, output] },
  );
  closeSync(output);
  const end = once(child, 'exit');
  const exited = (): string | undefined =>
    child.exitCode === null && child.signalCode === null ? undefined : `${child.exitCode ?? child.signalCode}`;
  const endBy = async (signal: NodeJS.Signals): Promise<void> => {
    if (exited() !== undefined) return;
    child.kill(signal);
    await end;
  };
  try {
    const until = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const text = await readFile(log, 'utf8');
      const address = /serving on (127\.0\.0\.1:\d+)/.exec(text)?.[1];
      if (address !== undefined) {
        const caFile = join(dataDir, 'tls', 'ca.pem');
        return {
          pid: child.pid ?? 0,
          url: `https://${address}`,
          ca: await readFile(caFile, 'utf8'),
          caFile,
          adminToken: (await readFile(join(dataDir, 'admin.token'), 'utf8')).trim(),
          dataDir,
          log,
          exited,
          kill: () => endBy('SIGKILL'),
          async stop() {
            const askedAt = performance.now();
            await endBy('SIGTERM');
            return { stopMs: performance.now() - askedAt, stopCode: child.exitCode };
          },
        };
      }
      if (exited() !== undefined || performance.now() > until)
        throw new Error(`the API server does not serve:\n${text}`);
      await pause(100);
    }
  } catch (error) {
    await endBy('SIGKILL');
    throw error;
  }
}

async function attack(server: Server, stolen: string, seconds: number, seed: number): Promise<Record<string, number>> {
  const main = new URL('hostile-api-main.ts', import.meta.url).pathname;
  const port = new URL(server.url).port;
  const child = spawn(process.execPath, [main, port, server.caFile, stolen, `${seconds}`, `${seed}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1_000 + 60_000);
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  await once(child, 'close');
  clearTimeout(late);
  return JSON.parse(text);
}

async function sample(pid: number, samples: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    samples.push(readMemoryMb(pid).now);
    await pause(250);
  }
}

function sizeOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name }) => sum + statSync(join(directory, name)).size, 0);
}
