import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { storeError, type S3Requests } from './s3-requests.ts';

/** What is sent by one request: what is sent again when that fails, and far below the 5 GiB that a store takes at once. */
const PART_BYTES = 64 * 2 ** 20;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
const PART_TIMEOUT_MS = 10 * 60 * 1000;
/** The store puts the parts together meanwhile. */
const COMPLETE_TIMEOUT_MS = 10 * 60 * 1000;
const QUESTION_TIMEOUT_MS = 30_000;
const MIB = 2 ** 20;

/**
 * Stores a file of any size. One that is longer than a part is sent in parts, each of which is tried again when it
 * fails; the object is there when all are, and nothing of it stays at the store when it fails. The file is read as it is
 * sent, so that no more than a piece of it is in the memory.
 */
export async function uploadToS3(
  requests: S3Requests,
  url: string,
  file: string,
  {
    partBytes = PART_BYTES,
    signal,
  }: { readonly partBytes?: number | undefined; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { size } = await stat(file);
  if (size <= partBytes) {
    await putPiece(requests, url, file, { from: 0, to: size }, signal);
    return;
  }
  const each = Math.max(partBytes, Math.ceil(size / MAX_PARTS / MIB) * MIB);
  const id = await requests.ask(
    `${url}?uploads=`,
    { method: 'POST' },
    { timeoutMs: QUESTION_TIMEOUT_MS, signal, read: async (answer) => uploadId(requests, await answer.text()) },
  );
  const upload = `uploadId=${encodeURIComponent(id)}`;
  try {
    const etags: string[] = [];
    for (let from = 0; from < size; from += each) {
      const piece = { from, to: Math.min(size, from + each) };
      etags.push(await putPiece(requests, `${url}?partNumber=${etags.length + 1}&${upload}`, file, piece, signal));
    }
    await complete(requests, url, upload, etags, size, signal);
  } catch (error) {
    // Parts that nobody sees cost as much as others. Also when the signal was aborted, so without it.
    await requests
      .ask(`${url}?${upload}`, { method: 'DELETE' }, { timeoutMs: QUESTION_TIMEOUT_MS, read: () => undefined })
      .catch(() => undefined);
    throw error;
  }
}

/** The part's mark of the store, its quotes included. */
async function putPiece(
  requests: S3Requests,
  url: string,
  file: string,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal | undefined,
): Promise<string> {
  const digest = createHash('sha256');
  if (to > from) await pipeline(createReadStream(file, { start: from, end: to - 1 }), digest);
  // The store compares what arrives with this, which is part of the signature.
  const headers = { 'x-amz-content-sha256': digest.digest('hex') };
  const body = (await openAsBlob(file)).slice(from, to);
  return requests.ask(
    url,
    { method: 'PUT', body, headers },
    { timeoutMs: PART_TIMEOUT_MS, signal, read: (answer) => answer.headers.get('etag') ?? '' },
  );
}

async function complete(
  requests: S3Requests,
  url: string,
  upload: string,
  etags: readonly string[],
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const parts = etags.map(
    (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`,
  );
  const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`;
  const headers = { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') };
  const storedSize = (): Promise<number> =>
    requests.ask(
      url,
      { method: 'HEAD' },
      {
        timeoutMs: QUESTION_TIMEOUT_MS,
        signal,
        read: (answer) => Number(answer.headers.get('content-length') ?? Number.NaN),
      },
    );
  try {
    await requests.ask(
      `${url}?${upload}`,
      { method: 'POST', body, headers },
      {
        timeoutMs: COMPLETE_TIMEOUT_MS,
        signal,
        async read(answer) {
          // The store begins its answer before it knows, so that a failure may come with the status 200.
          const xml = await answer.text();
          if (xml.includes('<Error>')) throw storeError(`${requests.name} cannot put the parts together`, xml, 500);
        },
      },
    );
  } catch (error) {
    // It may be done, and only the answer was lost; the next try is then told that there is no such upload.
    if ((await storedSize().catch(() => undefined)) === size) return;
    throw error;
  }
  const stored = await storedSize();
  if (stored !== size)
    throw new BackupError(BackupErrorCode.Place, `${requests.name} has stored ${stored} of ${size} bytes: try again`);
}

function uploadId({ name }: S3Requests, xml: string): string {
  const id = /<UploadId>([^<]+)</.exec(xml)?.[1];
  if (id === undefined)
    throw new BackupError(BackupErrorCode.Place, `${name} takes no upload in parts: is it a store that speaks S3?`);
  return unescaped(id);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** The text of an XML element. */
export function unescaped(xml: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return xml.replaceAll(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, name: string | undefined) =>
    code === undefined ? (named[name ?? ''] ?? whole) : String.fromCodePoint(Number(code)),
  );
}
