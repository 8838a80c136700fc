import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Artifact } from '../artifacts/artifact.ts';
import { parseRange } from '../artifacts/range.ts';

/** One request, parsed as far as every route needs it. */
export interface Request {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly query: URLSearchParams;
  /** Unsigned 32-bit number; undefined for an IPv6 peer. */
  readonly source: number | undefined;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

export function sendText(request: Request, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  const body = Buffer.from(text);
  request.response.writeHead(status, {
    'content-type': type,
    'content-length': body.byteLength,
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
    'content-length': body.byteLength,
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

/**
 * Sends an artifact, or the part of it that is asked for (RFC 9110 §13, §14): If-None-Match, Range, If-Range.
 * Returns how many bytes of body go out.
 */
export function sendArtifact(request: Request, artifact: Artifact, contentType: string): number {
  const { incoming, response, method } = request;
  const { sizeBytes, sha256 } = artifact;
  const etag = `"${sha256}"`;
  const common = { etag, 'accept-ranges': 'bytes', 'cache-control': 'no-cache' };
  if (matches(incoming.headers['if-none-match'], etag)) {
    response.writeHead(304, common);
    response.end();
    return 0;
  }
  const ifRange = incoming.headers['if-range'];
  const isCurrent = ifRange === undefined || ifRange === etag;
  // RFC 9110 §14.2: Range is defined for GET only.
  const range =
    method === 'GET' && isCurrent ? parseRange(incoming.headers.range, sizeBytes) : ({ kind: 'whole' } as const);
  if (range.kind === 'unsatisfiable') {
    response.writeHead(416, { ...common, 'content-range': `bytes */${sizeBytes}`, 'content-length': 0 });
    response.end();
    return 0;
  }
  const first = range.kind === 'part' ? range.first : 0;
  const length = range.kind === 'part' ? range.last + 1 - first : sizeBytes;
  response.writeHead(range.kind === 'part' ? 206 : 200, {
    ...common,
    'content-type': contentType,
    'content-length': length,
    ...(range.kind === 'part' ? { 'content-range': `bytes ${range.first}-${range.last}/${sizeBytes}` } : {}),
  });
  response.end(method === 'HEAD' ? undefined : artifact.read(first, length));
  return method === 'HEAD' ? 0 : length;
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}
