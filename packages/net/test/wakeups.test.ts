import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AF_INET, nodeNetwork, packSocketAddress, startWakeups, type UdpSocket, type Wakeups } from '../src/index.ts';
import { batchIo } from '../src/native/batch-io.ts';
import { openLibc } from '../src/native/libc.ts';
import type { Datagram } from '../src/udp.ts';

const SOCK_DGRAM_NONBLOCK = 0x802;
const libc = openLibc();
const io = batchIo(libc);
let fd: number;
let port: number;
let wakeups: Wakeups;
let sender: UdpSocket;
const deaths: Error[] = [];

/** A socket that Node knows nothing of. */
beforeEach(async () => {
  fd = libc.socket(AF_INET, SOCK_DGRAM_NONBLOCK, 0);
  const own = packSocketAddress({ address: '127.0.0.9', port: 0 });
  expect(libc.bind(fd, own)).toBe(0);
  libc.getsockname(fd, own);
  port = ((own[2] ?? 0) << 8) | (own[3] ?? 0);
  wakeups = startWakeups(libc, (error) => deaths.push(error));
  sender = await nodeNetwork().bindUdp({ address: '127.0.0.9', port: 0 });
});
afterEach(async () => {
  await sender.close();
  await wakeups.stop();
  libc.close(fd);
  expect(deaths).toEqual([]);
});

function send(byte: number): Promise<void> {
  return sender.send(Uint8Array.of(byte), { address: '127.0.0.9', port });
}

it('what comes to a descriptor without an event of its own is read at once, however often it comes', async () => {
  const heard: Datagram[] = [];
  wakeups.watch(fd, () => io.receive(fd, heard) > 0);
  for (let count = 1; count <= 20; count += 1) {
    await send(count);
    await vi.waitUntil(() => heard.length === count, { timeout: 20_000, interval: 1 });
  }
  expect(heard.map(({ data }) => data[0])).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

it('what came before anybody watched is read, too, and nothing after the watch has ended', async () => {
  await send(1);
  const heard: Datagram[] = [];
  const release = wakeups.watch(fd, () => io.receive(fd, heard) > 0);
  await vi.waitUntil(() => heard.length === 1, { timeout: 20_000, interval: 1 });
  release();
  await send(2);
  const other: Datagram[] = [];
  wakeups.watch(fd, () => io.receive(fd, other) > 0);
  await vi.waitUntil(() => other.length === 1, { timeout: 20_000, interval: 1 });
  expect(heard).toHaveLength(1);
});
