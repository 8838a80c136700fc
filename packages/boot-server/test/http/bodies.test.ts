import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { systemClock } from '@ingot/net';
import { startBodySender } from '../../src/http/body/body-sender.ts';
import { BIG, big, BIG_SHA256, ENGINES, serve } from './served.ts';

interface Answer {
  readonly response: IncomingMessage;
  readonly body: Buffer;
}

async function get(port: number, path: string, options: object = {}): Promise<Answer> {
  const request = httpRequest({ host: '127.0.0.1', port, path, agent: false, ...options });
  request.end();
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('no response');
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(Buffer.from(part));
  return { response, body: Buffer.concat(parts) };
}

/** A client that has asked and reads nothing. */
async function askAndWait(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write('GET /boot/big HTTP/1.1\r\nhost: x\r\n\r\n');
  return socket;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error('it did not come to pass within 20 s');
    await systemClock.sleep(5);
  }
}

describe.each(ENGINES)('large files by the %s engine', (engine) => {
  it('arrive whole, to 8 at once, and are logged with their size', async () => {
    const { port, log } = await serve(engine);
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(port, '/boot/big')));
    expect(answers.map(({ body }) => body.equals(big))).toEqual(answers.map(() => true));
    expect(answers[0]?.response.headers).toMatchObject({ 'content-length': String(BIG), 'accept-ranges': 'bytes' });
    await until(() => log.events('http.file').length === 8);
    expect(log.events('http.file')[0]?.fields).toMatchObject({ bytes: BIG, kind: 'ipxe', sha256: BIG_SHA256 });
  });

  it('leave the connection good for the next request', async () => {
    const { port } = await serve(engine);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    let connections = 0;
    for (const path of ['/boot/big', '/boot/small', '/boot/big', '/boot/empty', '/boot/big']) {
      const request = httpRequest({ host: '127.0.0.1', port, path, agent });
      request.end();
      const [response]: IncomingMessage[] = await once(request, 'response');
      if (!request.reusedSocket) connections += 1;
      const parts: Buffer[] = [];
      if (response !== undefined) for await (const part of response) parts.push(Buffer.from(part));
      const body = Buffer.concat(parts);
      if (path.endsWith('big')) expect(body.equals(big)).toBe(true);
      else expect(body.toString()).toBe(path.endsWith('small') ? 'small' : '');
    }
    expect(connections).toBe(1);
  });

  it('answer requests that were sent in one go, in their order', async () => {
    const { port } = await serve(engine);
    const socket = connect(port, '127.0.0.1');
    const ask = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;
    socket.write(ask('/boot/big') + ask('/boot/small') + ask('/boot/big', 'connection: close\r\n'));
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(Buffer.from(part)));
    await once(socket, 'close');
    let rest = Buffer.concat(parts);
    const bodies: Buffer[] = [];
    while (rest.length > 0) {
      const end = rest.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(rest.subarray(0, end).toString('latin1'))?.[1]);
      bodies.push(rest.subarray(end + 4, end + 4 + length));
      rest = rest.subarray(end + 4 + length);
    }
    expect(bodies.map((body) => body.length)).toEqual([BIG, 5, BIG]);
    expect(bodies.map((body) => body.equals(big))).toEqual([true, false, true]);
  });

  it('come in parts that make up the whole', async () => {
    const { port } = await serve(engine);
    const cuts = [0, 1, 70_000, 70_001, 9_999_999, BIG];
    const parts: Buffer[] = [];
    for (const [index, first] of cuts.slice(0, -1).entries()) {
      const last = (cuts[index + 1] ?? 0) - 1;
      const { response, body } = await get(port, '/boot/big', { headers: { range: `bytes=${first}-${last}` } });
      expect(response.statusCode).toBe(206);
      expect(response.headers['content-range']).toBe(`bytes ${first}-${last}/${BIG}`);
      parts.push(body);
    }
    expect(Buffer.concat(parts).equals(big)).toBe(true);
  });

  it('end the connection of an HTTP/1.0 client, and of one that asks for it', async () => {
    const { port } = await serve(engine);
    for (const request of [
      'GET /boot/big HTTP/1.0\r\n\r\n',
      'GET /boot/big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.write(request);
      let count = 0;
      socket.on('data', (part) => (count += part.length));
      await once(socket, 'end');
      expect(count).toBeGreaterThan(BIG);
    }
  });

  it('are let go of when the client leaves, and that is counted', async () => {
    const { port, log, artifacts, drops } = await serve(engine);
    const socket = await askAndWait(port);
    await until(() => artifacts.heldBytes === BIG);
    socket.resume();
    await once(socket, 'data');
    socket.destroy();
    await until(() => log.events('http.aborted').length === 1);
    expect(await drops('aborted')).toBe(1);
    artifacts.close();
    expect(artifacts.heldBytes).toBe(0);
  });

  it('are not sent for ever to a client that takes nothing', async () => {
    const { port, drops, log } = await serve(engine, { idleTimeoutMs: 300 });
    const socket = await askAndWait(port);
    const closed = once(socket, 'close');
    await until(() => log.events('http.aborted').length === 1);
    expect(await drops('idle')).toBe(1);
    socket.resume();
    await closed;
  });

  it('go on as long as the client takes some now and then', async () => {
    const { port, log } = await serve(engine, { idleTimeoutMs: 3_000 });
    const socket = await askAndWait(port);
    let count = 0;
    socket.on('data', (part) => {
      count += part.length;
      // Slower than the idle time as a whole, never silent for that long.
      socket.pause();
      setTimeout(() => socket.resume(), count < 60 * 65_536 ? 60 : 0);
    });
    socket.resume();
    await until(() => log.events('http.file').length === 1);
    expect(log.events('http.aborted')).toEqual([]);
  });

  it('are sent to their end when the server stops, and nothing new is begun', async () => {
    const { port, server, drops } = await serve(engine);
    const socket = await askAndWait(port);
    const idle = connect(port, '127.0.0.1');
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    socket.resume();
    await once(socket, 'data');
    socket.pause();
    const stopped = server.stop();
    await once(idle, 'close');
    await expect(get(port, '/boot/small')).rejects.toThrow();
    let count = 0;
    socket.on('data', (part) => (count += part.length));
    socket.resume();
    await once(socket, 'close');
    expect(count).toBeGreaterThan(BIG - 1_000_000);
    await stopped;
    expect(await drops('stopped')).toBe(0);
  });

  it('are cut off when a stop has waited long enough', async () => {
    const { port, server, drops, artifacts } = await serve(engine, { drainMs: 200 });
    await askAndWait(port);
    await until(() => artifacts.heldBytes === BIG);
    await server.stop();
    expect(await drops('stopped')).toBe(1);
  });

  it('keep to the rate of a client, over all its connections', async () => {
    const { port } = await serve(engine, { maxBytesPerSecondPerClient: 1_000_000 });
    const started = performance.now();
    const part = (): Promise<Answer> => get(port, '/boot/big', { headers: { range: 'bytes=0-299999' } });
    const answers = await Promise.all([part(), part()]);
    const seconds = (performance.now() - started) / 1000;
    for (const { body } of answers) expect(body.equals(big.subarray(0, 300_000))).toBe(true);
    // 600,000 bytes less the burst of 65,536 at 1,000,000 a second.
    expect(seconds).toBeGreaterThan(0.5);
    expect(seconds).toBeLessThan(3);
  });

  it('keep to another rate from their next download on', async () => {
    const { port, bodies } = await serve(engine);
    const part = (): Promise<Answer> => get(port, '/boot/big', { headers: { range: 'bytes=0-299999' } });
    await part();
    bodies.setRate(1_000_000);
    const started = performance.now();
    expect((await part()).body.equals(big.subarray(0, 300_000))).toBe(true);
    // 300,000 bytes less the burst of 65,536 at 1,000,000 a second.
    expect(performance.now() - started).toBeGreaterThan(220);
  });

  it('can be had on every address that is listened on', async () => {
    const { server } = await serve(engine, { listen: ['127.0.0.1', '::1'] });
    const [four = 0, six = 0] = server.ports;
    expect((await get(four, '/boot/big')).body.equals(big)).toBe(true);
    expect((await get(six, '/boot/big', { host: '::1' })).body.equals(big)).toBe(true);
  });

  it.each([
    [{ 'if-match': `"${BIG_SHA256}"` }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `W/"${BIG_SHA256}"` }, 412],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-none-match': `W/"${BIG_SHA256}"` }, 304],
    [{ 'if-none-match': '"other"' }, 200],
    [{ range: 'bytes=99999999999-' }, 416],
  ])('obey %j with %d', async (headers, status) => {
    const { port } = await serve(engine);
    expect((await get(port, '/boot/big', { headers })).response.statusCode).toBe(status);
    const head = await get(port, '/boot/big', { method: 'HEAD', headers });
    expect(head.body).toHaveLength(0);
    expect(head.response.statusCode).toBe(status === 416 ? 200 : status);
  });
});

describe.runIf(ENGINES.includes('native'))('the native engine alone', () => {
  const THREAD = new URL('../../src/http/body/sendfile-thread.ts', import.meta.url);

  it('sends every large file of a connection, however soon it is asked for, and small ones through Node', async () => {
    const { port, reads } = await serve('native');
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /boot/big HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3));
    let count = 0;
    socket.on('data', (part) => (count += part.length));
    await until(() => count > 3 * BIG);
    expect(reads()).toBe(0);
    socket.write('GET /boot/small HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await once(socket, 'close');
    expect(reads()).toBe(1);
  });

  it('goes on with the next file when its thread dies, and does without when that dies again and again', async () => {
    const started: Worker[] = [];
    const served = await serve('native', {
      startThread: (workerData) => {
        const thread = new Worker(THREAD, { workerData, transferList: [workerData.port] });
        started.push(thread);
        return thread;
      },
    });
    const { port, log, artifacts, reads } = served;
    for (let death = 1; death <= 3; death += 1) {
      const socket = await askAndWait(port);
      const closed = once(socket, 'close');
      socket.resume();
      await once(socket, 'data');
      socket.pause();
      await started.at(-1)?.terminate();
      // Not left open for ever by the thread's copy of it.
      socket.resume();
      await closed;
      await until(() => log.events('http.aborted').length === death);
      expect(log.events('http.aborted').at(-1)?.fields['err']).toMatchObject({
        message: 'the sending thread has ended',
      });
      expect(log.events('http.engine-failed').at(-1)?.fields).toMatchObject({
        bodies: 1,
        engine: death < 3 ? 'native' : 'node',
      });
      expect(reads()).toBe(0);
      expect((await get(port, '/boot/big')).body.equals(big)).toBe(true);
      expect(reads() > 0).toBe(death === 3);
    }
    expect(started).toHaveLength(3);
    artifacts.close();
    // A client has its last byte a moment before the server lets go of the file.
    await until(() => artifacts.heldBytes === 0);
  });

  it('says of what its thread died', async () => {
    const { port, log } = await serve('native', {
      startThread: () => new Worker('throw new Error("no such luck")', { eval: true }),
    });
    const socket = await askAndWait(port);
    socket.resume();
    await once(socket, 'close');
    for (const event of ['http.aborted', 'http.engine-failed'])
      expect(log.events(event)[0]?.fields['err']).toMatchObject({ message: 'no such luck' });
  });
});

it('the native engine is refused where it cannot be had', () => {
  expect(() =>
    startBodySender({
      clock: systemClock,
      log: new MemoryLogger(),
      libc: undefined,
      engine: 'native',
      limits: { idleTimeoutMs: 1, maxBytesPerSecondPerClient: undefined },
    }),
  ).toThrow('http.engine');
});
