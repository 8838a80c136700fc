import type { Artifact } from '../artifacts/artifact.ts';
import { parseRange } from '../artifacts/range.ts';
import type { BodyEnd } from './body/sender.ts';
import { CONTENT_LENGTH } from './reply.ts';
import type { Request } from './request.ts';

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
