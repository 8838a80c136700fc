import { request, type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { BmcError, BmcErrorCode, reasonOf } from '../errors.ts';
import type { BmcTarget } from '../target.ts';

/** Whose certificates are trusted. */
export interface RedfishTrust {
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca?: string | undefined;
  /** SHA-256 of certificates, 64 hexadecimal digits; one of these is trusted whoever signed it, and no other is. */
  readonly fingerprints: readonly string[];
  /** Any certificate: whoever sits in between learns the password. */
  readonly insecure: boolean;
}

export interface RedfishAnswer {
  readonly body: unknown;
  readonly etag: string | undefined;
}

/** Asks the BMC; rejects with a BmcError, or the reason of the signal. `path` starts with a slash. */
export type RedfishCall = (
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  change?: { readonly body: unknown; readonly etag?: string | undefined },
) => Promise<RedfishAnswer>;

const CONNECT_MS = 10_000;
const MAX_BODY = 2 ** 20;
const MAX_SAID = 300;

/** Every call has a connection of its own: BMCs close those that are kept, and there are few calls to a command. */
export function redfishCall(target: BmcTarget, trust: RedfishTrust, signal: AbortSignal): RedfishCall {
  const authorization = `Basic ${Buffer.from(`${target.user}:${target.password}`).toString('base64')}`;
  return async (method, path, change) => {
    signal.throwIfAborted();
    const payload = change === undefined ? undefined : JSON.stringify(change.body);
    const headers = {
      host: target.name,
      authorization,
      accept: 'application/json',
      connection: 'close',
      'odata-version': '4.0',
      ...(change?.etag === undefined ? {} : { 'if-match': change.etag }),
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    };
    let socket: TLSSocket | undefined;
    try {
      // Connected first: nothing is sent, the password least of all, before the certificate is found to be right.
      const connected = await open(target, trust, signal);
      socket = connected;
      const answer = Promise.withResolvers<IncomingMessage>();
      const asked = request({ method, path, headers, createConnection: () => connected, signal }, answer.resolve);
      asked.on('error', answer.reject);
      asked.end(payload);
      const response = await answer.promise;
      const text = await bodyOf(response, target);
      return { body: read(target, method, path, response.statusCode ?? 0, text), etag: response.headers.etag };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof BmcError) throw error;
      throw unreachable(target, reasonOf(error), error);
    } finally {
      socket?.destroy();
    }
  };
}

async function open(target: BmcTarget, trust: RedfishTrust, signal: AbortSignal): Promise<TLSSocket> {
  const isPinned = trust.fingerprints.length > 0;
  const socket = connect({
    host: target.host,
    port: target.port,
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    ...(trust.ca === undefined ? {} : { ca: trust.ca }),
    rejectUnauthorized: !isPinned && !trust.insecure,
  });
  const end = (): void => {
    socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
  };
  const opened = Promise.withResolvers<void>();
  socket.setTimeout(CONNECT_MS, () =>
    socket.destroy(unreachable(target, `no connection within ${CONNECT_MS / 1000} s`)),
  );
  socket.once('secureConnect', opened.resolve).once('error', opened.reject);
  signal.addEventListener('abort', end, { once: true });
  try {
    await opened.promise;
  } catch (error) {
    if (error instanceof BmcError || !isCertificateError(error)) throw error;
    throw untrusted(target, reasonOf(error));
  } finally {
    signal.removeEventListener('abort', end);
  }
  socket.setTimeout(0);
  const fingerprint = (socket.getPeerX509Certificate()?.fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
  if (isPinned && !trust.fingerprints.includes(fingerprint)) {
    socket.destroy();
    throw untrusted(target, `its certificate has the fingerprint ${fingerprint}, which is not in redfish.fingerprints`);
  }
  return socket;
}

/** OpenSSL's verdicts as Node names them, and that of the name in the certificate. */
function isCertificateError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|CRL/.test(code);
}

function untrusted(target: BmcTarget, words: string): BmcError {
  return new BmcError(
    BmcErrorCode.Certificate,
    `the BMC at ${target.name} is not trusted: ${words}; correct redfish.caFile or redfish.fingerprints`,
  );
}

function unreachable(target: BmcTarget, words: string, cause?: unknown): BmcError {
  return new BmcError(
    BmcErrorCode.Unreachable,
    `the BMC at ${target.name} does not answer (${words}): look at its cable and address, and whether Redfish is enabled`,
    cause,
  );
}

async function bodyOf(response: IncomingMessage, target: BmcTarget): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    length += part.length;
    if (length > MAX_BODY)
      throw new BmcError(BmcErrorCode.Answer, `the BMC at ${target.name} answers with more than ${MAX_BODY} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function read(target: BmcTarget, method: string, path: string, status: number, text: string): unknown {
  if (status === 401 || status === 403)
    throw new BmcError(
      BmcErrorCode.Login,
      `the BMC at ${target.name} does not let user ${JSON.stringify(target.user)} in: correct user or password, or its privilege, which must be administrator`,
    );
  if (status < 200 || status > 299) {
    const said = text.replaceAll(target.password, '[redacted]').replaceAll(/[^\u0020-\u007E]+/g, ' ');
    throw new BmcError(
      BmcErrorCode.Refused,
      `the BMC at ${target.name} answers ${method} ${path} with status ${status}: ${said.slice(0, MAX_SAID)}`,
    );
  }
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BmcError(BmcErrorCode.Answer, `the BMC at ${target.name} answers ${method} ${path} with no JSON`, error);
  }
}
