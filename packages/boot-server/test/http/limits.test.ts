import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { serve } from './served.ts';

/** A connection from one of the addresses of the loopback, and what came over it. */
async function client(port: number, from = '127.0.0.1'): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  let heard = '';
  socket.on('data', (part) => (heard += part.toString('latin1')));
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, heard: () => heard };
}

const GET = 'GET /boot/small HTTP/1.1\r\nhost: x\r\n\r\n';

it('a head of more than 8 KiB is refused, a shorter one is not', async () => {
  const { port, drops } = await serve('node');
  for (const [length, status] of [
    [7_000, '200'],
    [9_000, '400'],
  ] as const) {
    const { socket, heard } = await client(port);
    socket.write(GET.replace('host: x', `host: x\r\nx: ${'a'.repeat(length)}`));
    await expect.poll(heard, { timeout: 10_000 }).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`));
  }
  expect(await drops('malformed')).toBe(1);
});

it('a client that sends its head a byte at a time is told to leave, and others are served meanwhile', async () => {
  const limits = { headersTimeoutMs: 2_000, requestTimeoutMs: 4_000, connectionsCheckingInterval: 50 };
  const { port, drops } = await serve('node', { limits });
  const slow = await client(port);
  slow.socket.write('GET / HTTP/1.1\r\nx: ');
  const dripping = setInterval(() => slow.socket.write('a'), 50);
  onTestFinished(() => clearInterval(dripping));
  const quick = await client(port);
  quick.socket.write(GET);
  await expect.poll(quick.heard, { timeout: 10_000 }).toContain('200 OK');
  await expect.poll(slow.heard, { timeout: 10_000 }).toMatch(/^HTTP\/1\.1 408/);
  expect(await drops('slow-request')).toBe(1);
});

it('connections are limited for each client and for all, and a place that is left is had again', async () => {
  const limits = { connectionsPerClient: 2, connections: 3, keepAliveTimeoutMs: 60_000 };
  const { port, drops } = await serve('node', { limits });
  const isServed = async (from: string): Promise<{ socket: Socket; served: boolean }> => {
    const { socket, heard } = await client(port, from);
    socket.write(GET);
    while (!socket.closed && !heard().includes('200 OK')) await pause(10);
    return { socket, served: heard().includes('200 OK') };
  };
  const first = await isServed('127.0.0.2');
  expect(first.served).toBe(true);
  expect((await isServed('127.0.0.2')).served).toBe(true);
  expect((await isServed('127.0.0.2')).served).toBe(false);
  expect((await isServed('127.0.0.3')).served).toBe(true);
  expect((await isServed('127.0.0.4')).served).toBe(false);
  expect(await drops('too-many-connections')).toBe(2);
  first.socket.destroy();
  await expect.poll(async () => (await isServed('127.0.0.4')).served, { timeout: 10_000 }).toBe(true);
});

it('a client that waits for a file which is on its way here is not sent away for saying nothing', async () => {
  const { promise: until, resolve } = Promise.withResolvers<void>();
  const { port, drops } = await serve('node', { until, idleTimeoutMs: 200, limits: { keepAliveTimeoutMs: 200 } });
  const { socket, heard } = await client(port);
  socket.write(GET);
  await pause(1_000);
  expect(socket.closed).toBe(false);
  resolve();
  await expect.poll(heard, { timeout: 10_000 }).toContain('200 OK');
  // Now it says nothing, and nobody owes it anything.
  await expect.poll(() => socket.closed, { timeout: 10_000 }).toBe(true);
  expect(await drops('idle')).toBe(0);
});

it.each([
  ['with its host in the target', 'GET http://boot:8080/boot/small HTTP/1.1'],
  ['with more slashes than one', 'GET //boot//small HTTP/1.1'],
])('a request %s is answered', async (_what, line) => {
  const { port } = await serve('node');
  const { socket, heard } = await client(port);
  socket.write(GET.replace('GET /boot/small HTTP/1.1', line));
  await expect.poll(heard, { timeout: 10_000 }).toContain('200 OK');
});
