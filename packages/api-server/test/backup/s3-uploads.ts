import { createHash } from 'node:crypto';

export type Reply = readonly [status: number, content?: string | Buffer, headers?: Record<string, string>];

/** The mark of an object or a part that was stored by one request. */
export const etagOf = (content: Buffer): string => `"${createHash('md5').update(content).digest('hex')}"`;

/** A store refuses shorter parts, but for the last (EntityTooSmall). */
const MIN_PART_BYTES = 5 * 2 ** 20;
const MAX_PARTS = 10_000;

interface Upload {
  readonly path: string;
  readonly parts: Map<number, Buffer>;
}

const wrong = (status: number, code: string): Reply => [status, `<Error><Code>${code}</Code></Error>`];

/** Uploads in parts, by the rules of S3 for numbers, sizes, order and marks of parts. */
export function createUploads(objects: Map<string, Buffer>): {
  readonly open: ReadonlyMap<string, Upload>;
  /** Undefined for a request that is about something else. */
  answer(method: string, path: string, query: URLSearchParams, body: Buffer): Reply | undefined;
} {
  const open = new Map<string, Upload>();
  let made = 0;

  const complete = (id: string, upload: Upload, body: string): Reply => {
    const listed = [...body.matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag><\/Part>/g)].map(
      ([, number, etag = '']) => ({ number: Number(number), etag: etag.replaceAll('&quot;', '"') }),
    );
    if (listed.length === 0) return wrong(400, 'MalformedXML');
    if (listed.some(({ number }, index) => index > 0 && number <= (listed[index - 1]?.number ?? 0)))
      return wrong(400, 'InvalidPartOrder');
    const parts = listed.flatMap(({ number, etag }) => {
      const part = upload.parts.get(number);
      return part !== undefined && etagOf(part) === etag ? [part] : [];
    });
    if (parts.length < listed.length) return wrong(400, 'InvalidPart');
    if (parts.slice(0, -1).some((part) => part.length < MIN_PART_BYTES)) return wrong(400, 'EntityTooSmall');
    objects.set(upload.path, Buffer.concat(parts));
    open.delete(id);
    return [200, '<CompleteMultipartUploadResult/>'];
  };

  return {
    open,
    answer(method, path, query, body) {
      if (method === 'POST' && query.has('uploads')) {
        made += 1;
        // An ID may have characters that an URL has to escape.
        const id = `id&${made}/+=`;
        open.set(id, { path, parts: new Map() });
        const xml = `<UploadId>${id.replaceAll('&', '&amp;')}</UploadId>`;
        return [200, `<InitiateMultipartUploadResult>${xml}</InitiateMultipartUploadResult>`];
      }
      const id = query.get('uploadId');
      if (id === null) return undefined;
      const upload = open.get(id);
      if (upload?.path !== path) return wrong(404, 'NoSuchUpload');
      const number = Number(query.get('partNumber'));
      switch (method) {
        case 'PUT':
          if (!(number >= 1 && number <= MAX_PARTS)) return wrong(400, 'InvalidArgument');
          upload.parts.set(number, body);
          return [200, '', { etag: etagOf(body) }];
        case 'DELETE':
          open.delete(id);
          return [204];
        default:
          return complete(id, upload, body.toString());
      }
    },
  };
}
