import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { contentMemory } from '../../src/artifacts/content.ts';
import { fetchRemoteFile, type RemoteResult } from '../../src/artifacts/remote-file.ts';
import { fetchFailure } from '../../src/error-words.ts';

async function upstream(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

const memory = contentMemory(undefined);
interface Told {
  readonly sizes: (number | undefined)[];
  discarded: number;
}

/** What comes of it; `told` is what the writer was told. */
async function fetched(uri: string, told: Told = { sizes: [], discarded: 0 }, etag?: string): Promise<RemoteResult> {
  return fetchRemoteFile(uri, {
    etag,
    signal: new AbortController().signal,
    openWriter: (sizeBytes) => {
      told.sizes.push(sizeBytes);
      const writer = memory.create(sizeBytes);
      return {
        get sizeBytes() {
          return writer.sizeBytes;
        },
        write: (chunk) => writer.write(chunk),
        finish: () => writer.finish(),
        discard: () => {
          told.discarded += 1;
          writer.discard();
        },
      };
    },
  });
}

const text = (result: RemoteResult): string =>
  result.kind === 'body' ? Buffer.from(result.content.read(0, 1_000)).toString() : result.kind;

it('comes whole, with its length told beforehand and its ETag', async () => {
  const seen: unknown[] = [];
  const url = await upstream((request, response) => {
    seen.push(request.headers['accept-encoding']);
    response.writeHead(200, { 'content-length': 10, etag: '"1"' }).end('the kernel');
  });
  const told: Told = { sizes: [], discarded: 0 };
  const result = await fetched(`${url}/vmlinuz`, told);
  expect([text(result), result.kind === 'body' && result.etag, told.sizes]).toEqual(['the kernel', '"1"', [10]]);
  // Its length would be another than the file's.
  expect(seen).toEqual(['identity']);
});

it('is not sent again to who has it', async () => {
  const url = await upstream((request, response) => {
    response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 200).end();
  });
  expect((await fetched(url, undefined, '"1"')).kind).toBe('unchanged');
  expect((await fetched(url, undefined, '"0"')).kind).toBe('body');
});

it('is followed where it was moved to', async () => {
  const url = await upstream((request, response) => {
    if (request.url === '/new') response.end('moved');
    else response.writeHead(302, { location: '/new' }).end();
  });
  expect(text(await fetched(`${url}/old`))).toBe('moved');
});

it.each<[string, RequestListener, RegExp]>([
  ['is not there', (_request, response) => void response.writeHead(404).end(), /it answers 404 Not Found$/],
  [
    'breaks off',
    (_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('the k', () => response.destroy());
    },
    /cannot fetch http:\/\/[^ ]+: (?!terminated)/,
  ],
  [
    'leads to a file of this host',
    (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    /cannot fetch http:\/\/[^ ]+: (?!fetch failed)/,
  ],
  [
    'goes round for ever',
    (_request, response) => void response.writeHead(302, { location: '/' }).end(),
    /redirect count exceeded/,
  ],
])('a file that %s is an error that says so, and keeps nothing', async (_what, answer, words) => {
  const url = await upstream(answer);
  const told: Told = { sizes: [], discarded: 0 };
  await expect(fetched(`${url}/vmlinuz`, told)).rejects.toMatchObject({
    code: 'BOOT_ARTIFACT_UNAVAILABLE',
    message: expect.stringMatching(words),
  });
  expect(told.discarded).toBe(told.sizes.length);
});

it('of a server that is not there says what the kernel says', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  server.close();
  await once(server, 'close');
  await expect(fetched(`http://127.0.0.1:${port}/vmlinuz`)).rejects.toThrow(
    `cannot fetch http://127.0.0.1:${port}/vmlinuz: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
});

it.each([
  ['words', 'words'],
  [new Error('plain'), 'plain'],
  [new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }), 'connect ECONNREFUSED'],
  [new TypeError('fetch failed', { cause: new Error('') }), 'fetch failed'],
  [
    new TypeError('fetch failed', { cause: new AggregateError([new Error('no IPv6'), new Error('no IPv4')]) }),
    'no IPv6, no IPv4',
  ],
])('%s', (error, words) => {
  expect(fetchFailure(error)).toBe(words);
});
