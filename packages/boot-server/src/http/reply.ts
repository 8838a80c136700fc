import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Artifact } from '../artifacts/artifact.ts';
import { parseRange } from '../artifacts/range.ts';
import type { BodyEnd, BodySender } from './body/sender.ts';

/** One request, parsed as far as every route needs it. */
export interface Request {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly query: URLSearchParams;
  /** IPv4 or IPv6 address of the peer, without its interface; undefined once the peer is gone. */
  readonly source: string | undefined;
  /** The peer's address as text, of either family. */
  readonly peer: string;
  readonly bodies: BodySender;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

/** GRUB 2.06 knows this name by letter, and starts no file whose size it does not know. */
const CONTENT_LENGTH = 'Content-Length';

export function sendText(request: Request, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  const body = Buffer.from(text);
  request.response.writeHead(status, {
    'content-type': type,
    [CONTENT_LENGTH]: body.byteLength,
    'cache-control': 'no-store',
  });
  request.response.end(request.method === 'HEAD' ? undefined : body);
}

export function sendJson(
  request: Request,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
  request.response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    [CONTENT_LENGTH]: body.byteLength,
    'cache-control': 'no-store',
  });
  request.response.end(request.method === 'HEAD' ? undefined : body);
}

/** An error for programs: `code` is stable, `message` says what to do. */
export function sendError(
  request: Request,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJson(request, status, { code, message }, headers);
}

/** What goes out of an artifact. */
export interface Sending {
  /** Of the body; 0 for an answer that has none. */
  readonly bytes: number;
  /** Never rejects. */
  readonly ended: Promise<BodyEnd>;
}

const NO_BODY: Sending = { bytes: 0, ended: Promise.resolve({ kind: 'done' }) };

/**
 * Sends an artifact, or the part of it that is asked for (RFC 9110 §13, §14): If-Match, If-None-Match, Range, If-Range.
 * Takes a hold of its own until the end.
 */
export function sendArtifact(request: Request, artifact: Artifact, contentType: string): Sending {
  const { incoming, response, method } = request;
  const { sizeBytes, sha256 } = artifact;
  const etag = `"${sha256}"`;
  const common = { etag, 'accept-ranges': 'bytes', 'cache-control': 'no-cache' };
  // RFC 9110 §13.2.2 has this order.
  const ifMatch = incoming.headers['if-match'];
  if (ifMatch !== undefined && !matches(ifMatch, etag, 'strong')) {
    response.writeHead(412, { ...common, [CONTENT_LENGTH]: 0 });
    response.end();
    return NO_BODY;
  }
  if (matches(incoming.headers['if-none-match'], etag, 'weak')) {
    response.writeHead(304, common);
    response.end();
    return NO_BODY;
  }
  const ifRange = incoming.headers['if-range'];
  const isCurrent = ifRange === undefined || ifRange === etag;
  // RFC 9110 §14.2: Range is defined for GET only.
  const range =
    method === 'GET' && isCurrent ? parseRange(incoming.headers.range, sizeBytes) : ({ kind: 'whole' } as const);
  if (range.kind === 'unsatisfiable') {
    response.writeHead(416, { ...common, 'content-range': `bytes */${sizeBytes}`, [CONTENT_LENGTH]: 0 });
    response.end();
    return NO_BODY;
  }
  const position = range.kind === 'part' ? range.first : 0;
  const length = range.kind === 'part' ? range.last + 1 - position : sizeBytes;
  response.writeHead(range.kind === 'part' ? 206 : 200, {
    ...common,
    'content-type': contentType,
    [CONTENT_LENGTH]: length,
    ...(range.kind === 'part' ? { 'content-range': `bytes ${range.first}-${range.last}/${sizeBytes}` } : {}),
  });
  if (method === 'HEAD') {
    response.end();
    return NO_BODY;
  }
  const own = artifact.retain();
  const body = { response, artifact: own, position, length, client: request.peer };
  return { bytes: length, ended: request.bodies.send(body).finally(() => own.release()) };
}

/** RFC 9110 §8.8.3.2: a weak validator is never equal in the strong comparison, which If-Match asks for. */
function matches(header: string | undefined, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (header === undefined) return false;
  const plain = (each: string): string => (comparison === 'weak' ? each.replace(/^W\//, '') : each);
  return header.split(',').some((each) => each.trim() === '*' || plain(each.trim()) === etag);
}
