import { MockClock } from '@ingot/net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createNotifier, type Notifier } from '../src/index.ts';
import { bindUnixReceiver } from './unix-receiver.ts';

function recording(env: Record<string, string>): { notifier: Notifier; sent: string[]; clock: MockClock } {
  const sent: string[] = [];
  const clock = new MockClock();
  const notifier = createNotifier({
    env,
    pid: 42,
    clock,
    onError: (error) => sent.push(error.message),
    send: async (_, text) => void sent.push(text),
    monotonicMicros: () => 1_234_567n,
  });
  return { notifier, sent, clock };
}

async function receivedAt(address: string): Promise<string> {
  using receiver = bindUnixReceiver(address);
  const notifier = createNotifier({
    env: { NOTIFY_SOCKET: address },
    pid: process.pid,
    clock: new MockClock(),
    onError: () => undefined,
  });
  await notifier.ready();
  return receiver.receive();
}

describe('the notifier', () => {
  it('says nothing without a service manager', async () => {
    const { notifier, sent, clock } = recording({ WATCHDOG_USEC: '1000000' });
    await notifier.ready();
    await notifier.status('x');
    await notifier.stopping();
    expect({ sent, timers: clock.pendingTimers }).toEqual({ sent: [], timers: 0 });
  });

  it('says that it is ready, what it does, and that it stops', async () => {
    const { notifier, sent } = recording({ NOTIFY_SOCKET: '/run/notify' });
    await notifier.ready();
    await notifier.status('serving\n3 subnets ');
    await notifier.stopping();
    expect(sent).toEqual(['READY=1', 'STATUS=serving 3 subnets', 'STOPPING=1']);
  });

  it('says that it reads its configuration again, with the time that systemd wants', async () => {
    const { notifier, sent } = recording({ NOTIFY_SOCKET: '/run/notify' });
    await notifier.reloading();
    await notifier.ready();
    expect(sent).toEqual(['RELOADING=1\nMONOTONIC_USEC=1234567', 'READY=1']);
  });

  it('feeds the watchdog twice per period, from ready until close', async () => {
    const { notifier, sent, clock } = recording({
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '30000000',
      WATCHDOG_PID: '42',
    });
    await clock.advance(60_000);
    expect(sent).toEqual([]);
    await notifier.ready();
    await clock.advance(30_000);
    expect(sent).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    notifier.close();
    await clock.advance(60_000);
    expect(sent).toHaveLength(3);
  });

  it('leaves a watchdog alone that is meant for another process', async () => {
    const { notifier, clock } = recording({
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '1000000',
      WATCHDOG_PID: '41',
    });
    await notifier.ready();
    expect(clock.pendingTimers).toBe(0);
  });

  it('reaches a real unix datagram socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingot-notify-'));
    try {
      expect(await receivedAt(join(folder, 'socket'))).toBe('READY=1');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('reaches a real abstract socket', async () => {
    expect(await receivedAt(`@ingot-test-${process.pid}`)).toBe('READY=1');
  });

  it.each(['/nonexistent/socket', 'relative', `/${'x'.repeat(120)}`])('names what is wrong with %s', async (path) => {
    const notifier = createNotifier({
      env: { NOTIFY_SOCKET: path },
      pid: 1,
      clock: new MockClock(),
      onError: () => undefined,
    });
    await expect(notifier.ready()).rejects.toMatchObject({ code: 'DAEMON_NOTIFY' });
  });
});
