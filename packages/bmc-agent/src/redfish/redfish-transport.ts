import { Agent, request, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BmcError, BmcErrorCode, reasonOf } from '../errors.ts';
import type { BmcTarget } from '../target.ts';
import { openTls, unreachable, type RedfishTrust } from './open-tls.ts';

export type RedfishMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface RedfishRequest {
  readonly method: RedfishMethod;
  /** Starts with a slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** It restarts a machine: when it was sent and has no answer, nobody knows whether it was done. */
  readonly isAction?: boolean;
}

export interface RedfishResponse {
  readonly status: number;
  readonly text: string;
  readonly etag: string | undefined;
  /** `Location` as a path of this BMC; undefined when there is none, or it leads elsewhere. */
  readonly location: string | undefined;
  readonly token: string | undefined;
}

/** The HTTP below Redfish, to one BMC. */
export interface RedfishTransport {
  /** Rejects with a BmcError, or the reason of the signal; any status is an answer. */
  send(asked: RedfishRequest, signal: AbortSignal): Promise<RedfishResponse>;
  close(): void;
}

const MAX_BODY = 2 ** 20;

/**
 * One connection is kept for questions, since BMCs take up to a second for a handshake. Whatever changes something has a
 * connection of its own: on one that the BMC closes meanwhile, nobody would know whether it was done.
 */
export function redfishTransport(target: BmcTarget, trust: RedfishTrust): RedfishTransport {
  const [kept, fresh] = [new TlsAgent(target, trust, true), new TlsAgent(target, trust, false)];
  const once = async (asked: RedfishRequest, signal: AbortSignal): Promise<RedfishResponse | 'closed before'> => {
    const { method, path, body } = asked;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) };
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const headers = {
      host: target.name,
      accept: 'application/json',
      'odata-version': '4.0',
      ...type,
      ...length,
      ...asked.headers,
    };
    const answer = Promise.withResolvers<IncomingMessage>();
    const call = request({ method, path, headers, agent: method === 'GET' ? kept : fresh, signal }, answer.resolve);
    try {
      call.on('error', answer.reject);
      call.end(payload);
      const response = await answer.promise;
      const text = await bodyOf(response, target);
      const { etag, location, 'x-auth-token': token } = response.headers;
      return {
        status: response.statusCode ?? 0,
        text,
        etag,
        location: location === undefined ? undefined : pathHere(target, location),
        token: typeof token === 'string' ? token : undefined,
      };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof BmcError) throw error;
      if (asked.isAction === true && call.socket !== null)
        throw new BmcError(
          BmcErrorCode.Unknown,
          `not known whether it was done: the BMC at ${target.name} took ${method} ${path} and does not answer (${reasonOf(error)}); it is not sent again: look at the machine`,
          error,
        );
      if (call.reusedSocket) return 'closed before';
      throw unreachable(target, reasonOf(error), error);
    } finally {
      call.destroy();
    }
  };
  return {
    async send(asked, signal) {
      signal.throwIfAborted();
      let answer = await once(asked, signal);
      // RFC 9112, section 9.3.1: a question may be asked again on a new connection.
      for (let tries = 1; answer === 'closed before' && tries < 3; tries += 1) answer = await once(asked, signal);
      if (answer === 'closed before') throw unreachable(target, 'it closes its connections');
      return answer;
    },
    close() {
      kept.destroy();
      fresh.destroy();
    },
  };
}

/** Connections whose certificate was found to be right. */
class TlsAgent extends Agent {
  readonly #target: BmcTarget;
  readonly #trust: RedfishTrust;

  constructor(target: BmcTarget, trust: RedfishTrust, keepAlive: boolean) {
    super({ keepAlive, maxSockets: 1 });
    this.#target = target;
    this.#trust = trust;
  }

  override createConnection(
    { signal }: ClientRequestArgs,
    opened?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    openTls(this.#target, this.#trust, signal ?? new AbortController().signal).then(
      (socket) => opened?.(null, socket),
      (error: unknown) => {
        // A failure has no socket, whatever the types of Node say.
        Reflect.apply(opened ?? (() => {}), undefined, [error]);
      },
    );
  }
}

/** The path of a link that leads to this BMC, absolute as some write it. */
function pathHere(target: BmcTarget, link: string): string | undefined {
  const here = new URL(`https://${target.name}`);
  const there = URL.parse(link, here);
  return there !== null && there.origin === here.origin ? `${there.pathname}${there.search}` : undefined;
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
