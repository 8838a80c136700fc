import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createUploads, etagOf, type Reply } from './s3-uploads.ts';

/** An object store that takes only what is signed with its key, by AWS's Signature Version 4. */
export interface S3StandIn extends AsyncDisposable {
  readonly endpoint: string;
  /** By `/bucket/key`. */
  readonly objects: Map<string, Buffer>;
  readonly refused: string[];
  /** Whether each list goes on where it began. */
  isEndless: boolean;
  /** Uploads in parts that were neither completed nor aborted, by ID. */
  readonly uploads: ReadonlyMap<string, unknown>;
  /** Method and query of each request, as they came. */
  readonly requests: string[];
  /** What goes wrong with a request; by default nothing. */
  misbehave: (request: string) => Misdeed | undefined;
}

/**
 * `drop`: the connection ends before anything is done; `forget`: after it is done, without an answer; `fail`: status 500;
 * `late`: status 200, and an error in the answer; a number: the connection ends after so many bytes of the answer.
 */
export type Misdeed = 'drop' | 'forget' | 'fail' | 'late' | number;

export const accessKeyId = 'AKIDTEST';
export const secretAccessKey = 'very-secret-key';
export const region = 'lab-1';

/** Lists are answered in pages of this many. */
const PAGE = 2;

export async function startS3(): Promise<S3StandIn> {
  const objects = new Map<string, Buffer>();
  const refused: string[] = [];
  const requests: string[] = [];
  const uploads = createUploads(objects);
  let s3: S3StandIn | undefined;
  const answerTo = (request: IncomingMessage, body: Buffer): Reply => {
    const problem = wrongSignature(request, body);
    if (problem !== undefined) {
      refused.push(problem);
      return [403, `<Error><Code>SignatureDoesNotMatch</Code><Message>${problem}</Message></Error>`];
    }
    const url = new URL(request.url ?? '/', 'http://s3');
    const path = decodeURIComponent(url.pathname);
    const inParts = uploads.answer(request.method ?? '', path, url.searchParams, body);
    if (inParts !== undefined) return inParts;
    if (request.method === 'PUT') {
      objects.set(path, body);
      return [200];
    }
    if (request.method === 'DELETE') return [objects.delete(path) ? 204 : 404];
    if (url.searchParams.get('list-type') !== '2') {
      const found = objects.get(path);
      return found === undefined ? [404, '<Error><Code>NoSuchKey</Code></Error>'] : read(request, found);
    }
    const keys = [...objects.keys()]
      .map((one) => one.slice(path.length))
      .filter((one) => one.startsWith(url.searchParams.get('prefix') ?? ''))
      .toSorted();
    const from = Number(url.searchParams.get('continuation-token') ?? 0);
    const more =
      s3?.isEndless === true
        ? `<NextContinuationToken>${from}</NextContinuationToken>`
        : from + PAGE < keys.length
          ? `<NextContinuationToken>${from + PAGE}</NextContinuationToken>`
          : '';
    const contents = keys
      .slice(from, from + PAGE)
      .map((one) => `<Contents><Key>${one.replaceAll('&', '&amp;')}</Key></Contents>`);
    return [200, `<?xml version="1.0"?><ListBucketResult>${contents.join('')}${more}</ListBucketResult>`];
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '/' } = request;
    const what = `${method} ${new URL(url, 'http://s3').search}`;
    requests.push(what);
    const misdeed = s3?.misbehave(what);
    const body = await readAll(request).catch(() => undefined);
    if (body === undefined) return;
    if (misdeed === 'drop') return void request.socket.destroy();
    if (misdeed === 'fail') return void response.writeHead(500).end('<Error><Code>InternalError</Code></Error>');
    const error = '<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>';
    if (misdeed === 'late') return void response.writeHead(200).end(error);
    const [status, content = '', headers = {}] = answerTo(request, body);
    if (misdeed === 'forget') return void request.socket.destroy();
    const bytes = Buffer.from(content);
    response.writeHead(status, { 'content-length': bytes.length, ...headers });
    if (typeof misdeed === 'number')
      response.write(bytes.subarray(0, misdeed), () => setImmediate(() => request.socket.destroy()));
    else response.end(method === 'HEAD' ? undefined : bytes);
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the stand-in has no port');
  s3 = {
    endpoint: `http://127.0.0.1:${address.port}`,
    objects,
    refused,
    isEndless: false,
    uploads: uploads.open,
    requests,
    misbehave: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return s3;
}

/** An object, or what of it was asked for (RFC 9110, section 14.2). */
function read(request: IncomingMessage, content: Buffer): Reply {
  const etag = etagOf(content);
  const { range, 'if-match': match } = request.headers;
  if (match !== undefined && match !== etag) return [412, '<Error><Code>PreconditionFailed</Code></Error>'];
  const [, from] = /^bytes=(\d+)-$/.exec(range ?? '') ?? [];
  return from === undefined ? [200, content, { etag }] : [206, content.subarray(Number(from)), { etag }];
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** What is wrong with a request, by the steps that AWS documents for its receivers. */
function wrongSignature(request: IncomingMessage, body: Buffer): string | undefined {
  const header = request.headers.authorization ?? '';
  const [, credential = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(header) ?? [];
  const date = String(request.headers['x-amz-date']);
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  if (credential !== `${accessKeyId}/${scope}`) return `credential ${credential} is not ${accessKeyId}/${scope}`;
  const payload = String(request.headers['x-amz-content-sha256']);
  const isSent = request.method === 'PUT' || (request.method === 'POST' && body.length > 0);
  if (isSent && payload !== createHash('sha256').update(body).digest('hex')) {
    return `the content is not what was signed: ${payload}`;
  }
  const url = new URL(request.url ?? '/', 'http://s3');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join('&');
  const headers = signed
    .split(';')
    .map((name) => `${name}:${String(request.headers[name])}\n`)
    .join('');
  if (!signed.split(';').includes('host')) return 'the host is not signed';
  const canonical = [request.method, url.pathname, query, headers, signed, payload].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  const expected = createHmac('sha256', key).update(text).digest('hex');
  return expected === signature ? undefined : `signature ${signature} is not ${expected} of ${canonical}`;
}
