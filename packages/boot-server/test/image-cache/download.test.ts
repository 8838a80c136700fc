import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { MockClock, systemClock, type Clock } from '@ingot/net';
import { openCacheDirectory, type CacheDirectory, type CachedImage } from '../../src/image-cache/cache-directory.ts';
import { downloadImage, type DownloadOrder } from '../../src/image-cache/download.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const hex = (algorithm: string, bytes: string): string => createHash(algorithm).update(bytes).digest('hex');
const sha256 = (bytes: string): DownloadOrder['digest'] => ({ algorithm: 'sha256', hex: hex('sha256', bytes) });

/** A store that answers as the test says; its URL. */
async function storeThat(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the store listens nowhere');
  return `http://127.0.0.1:${address.port}/image`;
}

async function begun(url: string, bytes: string, etag = '"a"'): Promise<CacheDirectory> {
  const directory = await openCacheDirectory(temporaryFolder());
  await directory.beginPart({ url, etag });
  appendFileSync((await directory.partOf(url)).path, bytes);
  return directory;
}

function download(
  directory: CacheDirectory,
  order: Pick<DownloadOrder, 'url'> & Partial<DownloadOrder>,
  clock: Clock = systemClock,
): Promise<CachedImage> {
  const components = { directory, clock, signal: new AbortController().signal };
  return downloadImage(components, {
    sources: [order.url],
    digest: undefined,
    store: undefined,
    maxBytes: 1_000,
    ...order,
  });
}

async function textOf(directory: CacheDirectory, url: string): Promise<string | undefined> {
  const opened = await directory.open(url);
  await using file = opened?.file;
  return await file?.readFile('utf8');
}

it('never joins two versions, where a store goes on with the second in spite of If-Range', async () => {
  const asked: unknown[] = [];
  const url = await storeThat(({ headers }, response) => {
    asked.push(headers.range);
    if (headers.range === undefined) response.writeHead(200, { etag: '"b"' }).end('the second');
    else response.writeHead(206, { etag: '"b"', 'content-range': 'bytes 4-9/10' }).end('second');
  });
  const directory = await begun(url, 'the first'.slice(0, 4));
  await download(directory, { url });
  expect(asked).toEqual(['bytes=4-', undefined]);
  expect(await textOf(directory, url)).toBe('the second');
});

it('goes on where the rest says nothing of its version, which it shares then, and keeps that', async () => {
  const url = await storeThat((_request, response) => {
    response.writeHead(206, { 'content-range': 'bytes 4-8/9' }).end('first');
  });
  const directory = await begun(url, 'the ');
  expect(await download(directory, { url })).toMatchObject({ etag: '"a"', sizeBytes: 9 });
  expect(await textOf(directory, url)).toBe('the first');
});

it('verifies what was whole when the server was killed, and fetches none of it again', async () => {
  let bodies = 0;
  const url = await storeThat(({ headers }, response) => {
    if (headers.range === 'bytes=5-') return response.writeHead(416, { 'content-range': 'bytes */5' }).end();
    bodies += 1;
    return response.writeHead(200, { etag: '"a"' }).end('whole');
  });
  await download(await begun(url, 'whole'), { url, digest: sha256('whole') });
  expect(bodies).toBe(0);
  // Without a checksum nobody could tell.
  await download(await begun(url, 'whole'), { url });
  expect(bodies).toBe(1);
});

it('takes no part for the whole, from a store that sends one without being asked', async () => {
  const url = await storeThat((_request, response) => {
    response.writeHead(206, { etag: '"a"', 'content-range': 'bytes 0-3/9' }).end('the ');
  });
  const directory = await openCacheDirectory(temporaryFolder());
  await expect(download(directory, { url })).rejects.toThrow('206');
});

it('takes no cut line for the end, where only the question before told the length', async () => {
  const url = await storeThat((_request, response) => {
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { etag: '"a"', connection: 'close' });
    response.end('half');
  });
  const directory = await openCacheDirectory(temporaryFolder());
  const store = { sizeBytes: 8, etag: '"a"', lastModified: undefined };
  await expect(download(directory, { url, store })).rejects.toThrow('it ended after 4 of 8 bytes');
});

it('says that a store sends the file in another form', async () => {
  const url = await storeThat((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'x-gzip' }).end('no gzip at all');
  });
  const directory = await openCacheDirectory(temporaryFolder());
  await expect(download(directory, { url })).rejects.toThrow('Content-Encoding: x-gzip');
});

it('says that the digest is wrong, however long it took to find out', async () => {
  const url = await storeThat((_request, response) => response.end('forged'));
  const real = await openCacheDirectory(temporaryFolder());
  const clock = new MockClock();
  const dropPart = async (of: string): Promise<void> => {
    await clock.advance(60_000);
    await real.dropPart(of);
  };
  const trying = download({ ...real, dropPart }, { url, digest: sha256('genuine') }, clock);
  await expect(trying).rejects.toThrow('the file or its checksum is broken');
});

it('says what the store said to the second question, for which there is as much time as for the first', async () => {
  const clock = new MockClock();
  const url = await storeThat(({ headers }, response) => {
    response.writeHead(headers.range === undefined ? 404 : 416).end();
  });
  const real = await begun(url, 'the ');
  const partOf: CacheDirectory['partOf'] = async (of) => {
    await clock.advance(20_000);
    return await real.partOf(of);
  };
  await expect(download({ ...real, partOf }, { url }, clock)).rejects.toThrow('it answers 404');
});

it('gives back what a full disk had room for', async () => {
  const url = await storeThat((_request, response) => response.writeHead(200, { etag: '"a"' }).end('an image'));
  const real = await openCacheDirectory(temporaryFolder());
  const onFullDisk: CacheDirectory = {
    ...real,
    partOf: async (of) => ({ ...(await real.partOf(of)), path: '/dev/full' }),
  };
  await expect(download(onFullDisk, { url })).rejects.toThrow('ENOSPC');
  expect(real.parts()).toEqual([]);
});

it('opens an image as it is described, while it is being replaced', async () => {
  const directory = await openCacheDirectory(temporaryFolder());
  const url = 'http://store/image';
  const write = async (text: string): Promise<void> => {
    await directory.beginPart({ url });
    appendFileSync((await directory.partOf(url)).path, text);
    const digests = { sha512: hex('sha512', text), sha256: hex('sha256', text), md5: hex('md5', text) };
    await directory.commit({ url, sizeBytes: text.length, digests, fetchedAt: 0 });
  };
  await write('0');
  const seen = new Set<number>();
  for (let round = 1; round <= 20; round += 1) {
    const state = { isWritten: false };
    const writing = write('x'.repeat(round + 1)).then(() => (state.isWritten = true));
    while (!state.isWritten) {
      const opened = await directory.open(url);
      await using file = opened?.file;
      const stat = await file?.stat();
      expect(stat?.size).toBe(opened?.image.sizeBytes);
      seen.add(opened?.image.sizeBytes ?? 0);
      await nextTurn();
    }
    await writing;
  }
  expect(seen.size).toBeGreaterThan(1);
});
