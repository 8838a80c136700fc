import { request } from 'node:http';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@ingot/net';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import type { BmcAccount } from './bmc.ts';

export interface RedfishTarget {
  /** Literal address, or name. */
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the service's certificate, lower-case hex; undefined: whichever it shows first is held on to. */
  readonly fingerprint: string | undefined;
}

export interface RedfishAnswer {
  readonly status: number;
  /** For `If-Match`; empty when there is none. */
  readonly etag: string;
  /** The resource, or undefined when the body is no JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export type RedfishMethod = 'GET' | 'POST' | 'PATCH';

/** Sends one request; rejects with an `AgentError` when there is no answer, or another certificate. */
export interface RedfishHttp {
  send(method: RedfishMethod, path: string, options?: RedfishOptions): Promise<RedfishAnswer>;
}

export interface RedfishOptions {
  readonly account?: BmcAccount;
  readonly etag?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

const requestTimeoutMs = 15_000;
const maxBodyBytes = 2 ** 20;

/**
 * Redfish over HTTPS (DSP0266). BMCs sign their certificates themselves, so not who signed it counts but which one it is:
 * it is compared before anything is sent.
 */
export function openRedfish(
  target: RedfishTarget,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): RedfishHttp {
  let pinned = target.fingerprint;
  return {
    async send(method, path, options = {}) {
      const tooLong = new AbortController();
      const timer = clock.setTimeout(
        () => tooLong.abort(new Error(`no answer within ${requestTimeoutMs} ms`)),
        requestTimeoutMs,
      );
      const limit = AbortSignal.any([signal, tooLong.signal]);
      let socket: TLSSocket | undefined;
      try {
        socket = await connected(target, limit);
        const shown = fingerprintOf(socket);
        pinned ??= shown;
        if (shown !== pinned)
          throw new Error(`the certificate is not the expected one: sha256 ${shown}, expected ${pinned}`);
        return await exchange(socket, target, method, path, options, limit);
      } catch (error) {
        signal.throwIfAborted();
        // Node's own error for an aborted request does not say why.
        const reason = reasonOf(limit.aborted ? limit.reason : error);
        throw new AgentError(AgentErrorCode.BmcFailed, `Redfish ${method} ${path}: ${reason}`, { cause: error });
      } finally {
        timer.cancel();
        socket?.destroy();
      }
    },
  };
}

function connected({ host, port }: RedfishTarget, limit: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    const give = (): void => {
      socket.destroy();
      reject(limit.reason);
    };
    if (limit.aborted) give();
    limit.addEventListener('abort', give, { once: true });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      limit.removeEventListener('abort', give);
      resolve(socket);
    });
  });
}

function fingerprintOf(socket: TLSSocket): string {
  return (socket.getPeerX509Certificate()?.fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
}

function exchange(
  socket: TLSSocket,
  { host, port }: RedfishTarget,
  method: RedfishMethod,
  path: string,
  { account, etag, body }: RedfishOptions,
  limit: AbortSignal,
): Promise<RedfishAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const headers = {
    host: authority,
    accept: 'application/json',
    'odata-version': '4.0',
    connection: 'close',
    ...(account !== undefined && { authorization: basic(account) }),
    ...(etag !== undefined && etag !== '' && { 'if-match': etag }),
    ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ method, path, headers, createConnection: () => socket, signal: limit }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBodyBytes) outgoing.destroy(new Error(`more than ${maxBodyBytes} bytes`));
        else chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          etag: response.headers.etag ?? '',
          body: objectIn(Buffer.concat(chunks).toString('utf8')),
        }),
      );
    });
    outgoing.once('error', reject);
    outgoing.end(text);
  });
}

function basic({ user, password }: BmcAccount): string {
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
