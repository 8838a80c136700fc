import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { BodySender } from './body/sender.ts';
import { parseRequestTarget, type RequestTarget } from './request-target.ts';

/** One request, parsed as far as every route needs it. */
export interface Request extends RequestTarget {
  readonly method: 'GET' | 'HEAD';
  /** IPv4 or IPv6 address of the peer, without its interface; undefined once the peer is gone. */
  readonly source: string | undefined;
  /** The peer's address as text, of either family. */
  readonly peer: string;
  readonly bodies: BodySender;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

/** Undefined for what is no question: another method than GET and HEAD, a body, or a URL that cannot be read. */
export function parseRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
  bodies: BodySender,
): Request | undefined {
  const { method, url, headers } = incoming;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined) return undefined;
  const target = parseRequestTarget(url ?? '');
  if (target === undefined) return undefined;
  const peer = incoming.socket.remoteAddress?.replace(/^::ffff:/i, '') ?? '';
  return {
    ...target,
    // A target that names its host overrules the header (RFC 9112 §3.2.2).
    host: target.host ?? headers.host,
    method,
    source: isIP(peer) === 0 ? undefined : peer.replace(/%.*$/, ''),
    peer,
    bodies,
    incoming,
    response,
  };
}
