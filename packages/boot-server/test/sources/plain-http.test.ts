import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MockClock, systemClock, type Clock } from '@ingot/net';
import { httpGet, type HttpGet } from '../../src/sources/http-get.ts';

const MAX_BYTES = 4_096;
const PATIENCE = { timeout: 20_000 };
const plain = (body: string, more = ''): string =>
  `HTTP/1.1 200 OK\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** What a server does with a question, named by its path; `connection` counts from 1. */
type Answer = (path: string, socket: Socket, connection: number) => void;

interface Lab {
  readonly client: HttpGet;
  readonly asked: string[];
  readonly connections: () => number;
  /** Of the connections that are open. */
  readonly sockets: Set<Socket>;
}

/** A server that speaks bytes. */
async function lab(
  answer: Answer,
  change: { readonly concurrency?: number; readonly clock?: Clock } = {},
): Promise<Lab> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (text) => {
      for (const [, path = ''] of String(text).matchAll(/^GET (\S+) HTTP\/1\.1\r\n/gm)) {
        asked.push(path);
        answer(path, socket, connection);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const client = httpGet({
    clock: systemClock,
    base: `http://127.0.0.1:${address.port}/v1`,
    timeoutMs: 5_000,
    concurrency: 8,
    maxBytes: MAX_BYTES,
    ...change,
  });
  onTestFinished(() => {
    client.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { client, asked, connections: () => connections, sockets };
}

const byPath: Answer = (path, socket) => void socket.write(plain(path));
const FIRST = { status: 200, text: '/v1/first' };

describe('a server that answers plainly', () => {
  it('is asked over a connection that stays open, each question by itself', async () => {
    const { client, asked, connections } = await lab(byPath);
    expect(await client.get('/first')).toEqual(FIRST);
    for (const path of ['/a', '/b', '/c']) expect(await client.get(path)).toEqual({ status: 200, text: `/v1${path}` });
    // One of undici's, which saw that it is plain, and one.
    expect(connections()).toBe(2);
    const many = Array.from({ length: 50 }, (_, index) => `/many/${index}`);
    expect((await Promise.all(many.map((path) => client.get(path)))).map(({ text }) => text)).toEqual(
      many.map((path) => `/v1${path}`),
    );
    expect(connections()).toBeLessThanOrEqual(9);
    expect(asked).toHaveLength(54);
  });

  it('may take its time over every byte, and write more than ASCII', async () => {
    const text = JSON.stringify({ message: 'Rückgrat – 棚' });
    const { client, asked } = await lab((path, socket) => {
      if (path === '/v1/first') return byPath(path, socket, 0);
      const bytes = Buffer.from(plain(text));
      // The cuts are in the head, in its end, and within a character.
      const cuts = [0, 9, bytes.indexOf('\r\n\r\n') + 2, bytes.indexOf('ü') + 1, bytes.byteLength];
      const next = (index: number): void => {
        if (index >= cuts.length) return;
        socket.write(bytes.subarray(cuts[index - 1], cuts[index]), () => setImmediate(next, index + 1));
      };
      next(1);
    });
    await client.get('/first');
    expect(await client.get('/slow')).toEqual({ status: 200, text });
    expect(asked).toEqual(['/v1/first', '/v1/slow']);
  });

  it('may say no', async () => {
    const { client } = await lab((path, socket) => {
      if (path === '/v1/first') byPath(path, socket, 0);
      else socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nConnection: Keep-Alive\r\n\r\nnone');
    });
    await client.get('/first');
    expect(await client.get('/other')).toEqual({ status: 404, text: 'none' });
  });

  it('that says something unasked for is not believed', async () => {
    const { client, sockets } = await lab((path, socket, connection) => {
      socket.write(plain(path));
      if (connection === 2) socket.write(plain('a lie'));
    });
    await client.get('/first');
    // The lie comes with the answer, or after it: in either case it is nobody's answer.
    expect(await client.get('/a')).toEqual({ status: 200, text: '/v1/a' });
    await expect.poll(() => sockets.size, PATIENCE).toBeLessThan(2);
    expect(await client.get('/b')).toEqual({ status: 200, text: '/v1/b' });
  });

  it.each([
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n'],
    ['until it closes', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody'],
    ['in HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody'],
    [
      'after another status',
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody',
    ],
  ])('and then %s is asked by undici from then on', async (_how, bytes) => {
    const { client, asked } = await lab((path, socket) => {
      if (path === '/v1/first') return byPath(path, socket, 0);
      socket.write(bytes);
      if (!bytes.includes('chunked')) socket.end();
    });
    expect(await client.get('/first')).toEqual(FIRST);
    expect(await client.get('/a')).toEqual({ status: 200, text: 'body' });
    expect(await client.get('/b')).toEqual({ status: 200, text: 'body' });
    // Once more for the one that found out.
    expect(asked).toEqual(['/v1/first', '/v1/a', '/v1/a', '/v1/b']);
  });

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\nbody'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\nbody'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 4\r\n\r\nbody'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nContent-Length 4\r\n\r\nbody'],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}`],
  ])('and then with %s is refused by undici', async (_how, bytes) => {
    const { client } = await lab((path, socket) => {
      if (path === '/v1/first') byPath(path, socket, 0);
      else socket.end(bytes);
    });
    await client.get('/first');
    await expect(client.get('/a')).rejects.toThrow(/./);
  });

  it('is held to the bound', async () => {
    const { client } = await lab((path, socket) => {
      socket.write(plain(path === '/v1/long' ? 'x'.repeat(MAX_BYTES + 1) : path));
    });
    await client.get('/first');
    await expect(client.get('/long')).rejects.toThrow(/more than 4096 bytes/);
    expect(await client.get('/a')).toEqual({ status: 200, text: '/v1/a' });
  });

  it('may close at any time: what met a closed door is asked once more, what breaks off is not for ever', async () => {
    const { client, asked } = await lab((path, socket) => {
      if (path === '/v1/half') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf');
      else if (path === '/v1/door' && asked.filter((each) => each === path).length === 1) socket.destroy();
      else byPath(path, socket, 0);
    });
    await client.get('/first');
    await client.get('/a');
    expect(await client.get('/door')).toEqual({ status: 200, text: '/v1/door' });
    await expect(client.get('/half')).rejects.toThrow(/./);
    expect(asked.filter((path) => path === '/v1/half').length).toBeLessThanOrEqual(3);
    expect(await client.get('/b')).toEqual({ status: 200, text: '/v1/b' });
  });

  it('that hangs is given up after its time, with its connection; the next question is nobody else’s', async () => {
    const held: Socket[] = [];
    const clock = new MockClock();
    const arrived = Promise.withResolvers<undefined>();
    const { client } = await lab(
      (path, socket) => {
        if (path !== '/v1/hang') return byPath(path, socket, 0);
        held.push(socket);
        arrived.resolve(undefined);
      },
      { concurrency: 1, clock },
    );
    await client.get('/first');
    await client.get('/a');
    const hanging = client.get('/hang').catch(String);
    await arrived.promise;
    await clock.advance(5_000);
    expect(await hanging).toMatch(/no answer within 5000 ms/);
    expect(held).toHaveLength(1);
    await expect.poll(() => held[0]?.closed, PATIENCE).toBe(true);
    expect(await client.get('/b')).toEqual({ status: 200, text: '/v1/b' });
  });

  it('is left when the client closes, and nobody waits for ever', async () => {
    const { client, sockets } = await lab((path, socket) => {
      if (path !== '/v1/hang') byPath(path, socket, 0);
    });
    await client.get('/first');
    const hanging = expect(client.get('/hang')).rejects.toThrow(/./);
    client.close();
    await hanging;
    await expect.poll(() => sockets.size, PATIENCE).toBe(0);
  });
});
