import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadLibc, systemClock } from '@ingot/net';
import { SendfileLoop, type SendEndKind } from '../../src/http/body/sendfile-loop.ts';
import { descriptorOf } from '../../src/http/body/socket-fd.ts';

const libc = await loadLibc();
if (libc === undefined) throw new Error('this test needs Linux and node:ffi');
/** More than any socket buffers, and not a whole number of packets. */
const FILE_BYTES = 48 * 1024 * 1024 + 77;
const IPPROTO_TCP = 6;
const TCP_CORK = 3;

/** Both ends of a TCP connection over loopback; neither reads yet. */
async function connection(): Promise<{ readonly near: Socket; readonly far: Socket; readonly fd: number }> {
  const server = createServer({ pauseOnConnect: true, noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const far = connect(address.port, '127.0.0.1');
  const [near]: Socket[] = await once(server, 'connection');
  server.close();
  far.pause();
  const fd = near === undefined ? undefined : descriptorOf(near);
  if (near === undefined || fd === undefined) throw new Error('no connection');
  onTestFinished(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far, fd };
}

function file(): number {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-sendfile-'));
  writeFileSync(join(folder, 'file'), Buffer.alloc(FILE_BYTES, 'ingot'));
  const fd = openSync(join(folder, 'file'), 'r');
  onTestFinished(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return fd;
}

function isCorked(fd: number): boolean {
  const value = new Uint8Array(4);
  expect(libc?.getsockopt(fd, IPPROTO_TCP, TCP_CORK, value)).toBe(0);
  return value[0] !== 0;
}

function makeLoop(
  now: () => number = () => performance.now(),
  maxBytesPerSecondPerClient?: number,
): { readonly loop: SendfileLoop; readonly ends: (readonly [number, SendEndKind])[] } {
  if (libc === undefined) throw new Error('no libc');
  const wake = libc.eventfd(0, 0);
  const ends: (readonly [number, SendEndKind])[] = [];
  const loop = new SendfileLoop({
    libc,
    wake,
    limits: { idleTimeoutMs: 60_000, maxBytesPerSecondPerClient },
    now,
    onEnd: (id, kind) => ends.push([id, kind]),
  });
  onTestFinished(() => {
    loop.close();
    libc.close(wake);
  });
  return { loop, ends };
}

describe('sending files from a thread', () => {
  it('keeps packets full while a body goes, and lets the last one go when it has gone', async () => {
    const { far, fd } = await connection();
    const { loop, ends } = makeLoop();
    loop.add({ id: 1, socket: fd, file: file(), position: 0, length: FILE_BYTES, client: '192.0.2.1' });
    loop.turn(0);
    expect(isCorked(fd)).toBe(true);
    far.resume();
    while (far.bytesRead < FILE_BYTES) {
      loop.turn(0);
      await systemClock.sleep(1);
    }
    const { bytesRead } = far;
    expect({ ends, bytesRead, corked: isCorked(fd) }).toEqual({
      ends: [[1, 'done']],
      bytesRead: FILE_BYTES,
      corked: false,
    });
  });

  it('gives a client its rate, no more and no less', async () => {
    const { far, fd } = await connection();
    far.resume();
    let now = 0;
    const { loop, ends } = makeLoop(() => now, 1_000_000);
    loop.add({ id: 1, socket: fd, file: file(), position: 0, length: 600_000, client: '192.0.2.1' });
    for (; ends.length === 0 && now < 1_000; now += 1) {
      // What it has sent is taken at once: the rate alone holds it back.
      for (let turns = 0; turns < 4; turns += 1) {
        loop.turn(0);
        await setImmediate();
      }
    }
    expect(ends).toEqual([[1, 'done']]);
    // All but the burst of 65,536, in grants of at least 16 KiB: 534 ms, and up to 17 more.
    expect(now).toBeGreaterThan(534);
    expect(now).toBeLessThan(555);
  });

  it('leaves no cork in a connection whose body was cancelled', async () => {
    const { fd } = await connection();
    const { loop, ends } = makeLoop();
    loop.add({ id: 7, socket: fd, file: file(), position: 0, length: FILE_BYTES, client: '192.0.2.1' });
    loop.turn(0);
    loop.cancel(7);
    expect({ ends, size: loop.size, corked: isCorked(fd) }).toEqual({ ends: [[7, 'gone']], size: 0, corked: false });
  });
});
