import { describe, expect, test } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { machineViews } from '../../src/timeline/machines.ts';
import type { BootStage } from '../../src/timeline/stages.ts';
import { createTimeline, type Timeline } from '../../src/timeline/timeline.ts';
import { traceLogger } from '../../src/timeline/traced-logger.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';

function setUp(): {
  clock: MockClock;
  timeline: Timeline;
  left: [BootStage, number][];
  say: (event: string, fields?: Readonly<Record<string, unknown>>, mac?: string) => void;
  stage: (mac?: string) => BootStage | undefined;
} {
  const clock = new MockClock();
  const left: [BootStage, number][] = [];
  const timeline = createTimeline({ clock, onStageLeft: (stage, ms) => left.push([stage, ms]) });
  return {
    clock,
    timeline,
    left,
    say: (event, fields = {}, mac = MAC_1) => timeline.append('info', mac, event, fields, event),
    stage: (mac = MAC_1) => timeline.find(mac)?.state.stage,
  };
}

/** `n` as a hardware address of its own. */
const inventedMac = (n: number): string =>
  n
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/(..)(?=.)/g, '$1:');

describe('the logger', () => {
  test('takes every line with an event and a mac into the timeline, whatever its level, and writes it all the same', () => {
    const clock = new MockClock();
    const timeline = createTimeline({ clock });
    const memory = new MemoryLogger();
    const log = traceLogger(memory, timeline);
    log.debug({ event: 'dhcp.dropped', mac: MAC_1, reason: 'no-binary' }, 'no answer');
    log.child({ service: 'http' }).warn({ event: 'http.refused', mac: MAC_1, reason: 'not-seen' }, 'no script');
    log.child({ mac: MAC_1 }).info({ event: 'tftp.start' }, 'TFTP');
    log.info({ event: 'listening' }, 'no machine');
    log.info({ mac: MAC_1 }, 'no event');
    expect(timeline.find(MAC_1)?.entries.map(({ level, event }) => `${level} ${event}`)).toEqual([
      'debug dhcp.dropped',
      'warn http.refused',
      'info tftp.start',
    ]);
    expect(memory.records).toHaveLength(5);
  });

  test('keeps of an error its message only', () => {
    const timeline = createTimeline({ clock: new MockClock() });
    const err = new Error('disk full', { cause: { socket: 'large' } });
    traceLogger(new MemoryLogger(), timeline).error({ event: 'http.unavailable', mac: MAC_1, err }, 'cannot serve');
    expect(timeline.find(MAC_1)?.entries[0]?.fields).toMatchObject({ err: 'disk full' });
  });
});

describe('the state of a machine', () => {
  test('follows a BIOS boot from the first offer to the agent', async () => {
    const { clock, say, stage, left, timeline } = setUp();
    const seen: (BootStage | undefined)[] = [];
    const steps: [string, Record<string, unknown>?][] = [
      ['dhcp.offer', { boot: 'chain-tftp', uuid: UUID }],
      ['dhcp.ack', { boot: 'chain-tftp', address: '10.0.1.100' }],
      ['tftp.start'],
      ['tftp.done'],
      ['dhcp.offer', { boot: 'script' }],
      ['dhcp.ack', { boot: 'script' }],
      ['http.script'],
      ['http.file', { kind: 'kernel' }],
      ['http.file', { kind: 'initrd' }],
      ['http.booting'],
      ['dhcp.offer', { boot: 'ignore' }],
      ['dhcp.ack', { boot: 'ignore' }],
      ['config.given'],
      ['agent.up'],
    ];
    for (const [event, fields] of steps) {
      say(event, fields);
      seen.push(stage());
      await clock.advance(1_000);
    }
    expect(seen).toEqual([
      'offered',
      'offered',
      'tftp',
      'ipxe',
      'ipxe',
      'ipxe',
      'script',
      'kernel',
      'initrd',
      'config',
      'config',
      'config',
      'agent',
      'up',
    ]);
    expect(left).toEqual([
      ['offered', 2_000],
      ['tftp', 1_000],
      ['ipxe', 3_000],
      ['script', 1_000],
      ['kernel', 1_000],
      ['initrd', 1_000],
      ['config', 3_000],
      ['agent', 1_000],
    ]);
    expect(timeline.find(MAC_1)?.state).toMatchObject({ uuid: UUID, address: '10.0.1.100', boots: 1 });
  });

  test('is up when its agent renews its token, also where no more is known of it', () => {
    const { say, stage, timeline } = setUp();
    say('config.renewed');
    expect(stage()).toBe('up');
    expect(timeline.find(MAC_1)?.isBooting).toBe(true);
  });

  test('begins anew when the machine is restarted', () => {
    const { say, stage, timeline } = setUp();
    for (const event of ['http.script', 'config.given']) say(event);
    say('dhcp.offer', { boot: 'chain-tftp' });
    expect(stage()).toBe('offered');
    expect(timeline.find(MAC_1)?.state.boots).toBe(2);
  });

  test('ends with the kernel where that asks for no configuration', () => {
    const { say, stage } = setUp();
    say('http.script', { plan: 'kernel', wantsConfig: false });
    say('http.booting');
    expect(stage()).toBe('booted');
    say('http.script', { plan: 'kernel', wantsConfig: true });
    say('http.booting');
    expect(stage()).toBe('config');
  });

  test.each([
    ['local', 'local'],
    ['hold', 'held'],
    ['menu', 'held'],
    ['kernel', 'script'],
  ] as const)('a script for the plan %s leads to %s', (plan, expected) => {
    const { say, stage } = setUp();
    say('http.script', { plan });
    expect(stage()).toBe(expected);
  });

  test('is stuck when a stage lasts longer than usual, with what went wrong, and no more when it goes on', async () => {
    const { clock, say, timeline } = setUp();
    const view = (): unknown => machineViews(timeline.tracks(), clock.monotonic())[0];
    const offeredAt = clock.now();
    say('dhcp.offer', { boot: 'chain-tftp' });
    await clock.advance(60_000);
    timeline.append('warn', MAC_1, 'tftp.failed', { cause: 'no-answer' }, 'TFTP: the client is silent');
    await clock.advance(29_000);
    expect(view()).toMatchObject({ stage: 'offered', isStuck: false });
    await clock.advance(2_000);
    expect(view()).toMatchObject({
      stage: 'offered',
      since: offeredAt,
      isStuck: true,
      problem: { event: 'tftp.failed', reason: 'no-answer', words: 'TFTP: the client is silent' },
    });
    say('tftp.start');
    expect(view()).toMatchObject({ stage: 'tftp', isStuck: false, problem: undefined });
  });

  test('is never stuck at the end of a boot, nor when it asks for an address only', async () => {
    const { clock, say, timeline } = setUp();
    say('config.given');
    say('dhcp.ack', { boot: 'ignore' }, MAC_2);
    await clock.advance(6 * 3_600_000);
    expect(machineViews(timeline.tracks(), clock.monotonic()).map(({ isStuck }) => isStuck)).toEqual([false, false]);
  });

  test('is that of the NIC which boots, where a machine has several', async () => {
    const { clock, say, timeline } = setUp();
    say('dhcp.offer', { boot: 'chain-tftp', uuid: UUID }, MAC_2);
    await clock.advance(20_000);
    say('dhcp.offer', { boot: 'chain-tftp', uuid: UUID });
    say('config.given', { uuid: UUID });
    await clock.advance(1_000);
    say('dhcp.ack', { boot: 'ignore', uuid: UUID }, MAC_2);
    expect(machineViews(timeline.tracks(), clock.monotonic())).toEqual([
      expect.objectContaining({ uuid: UUID, macs: [MAC_1, MAC_2], stage: 'agent' }),
    ]);
  });
});

describe('the bounds', () => {
  test('a million invented NICs push out no machine that boots', () => {
    const { say, timeline, stage } = setUp();
    say('dhcp.offer', { boot: 'chain-tftp' });
    say('tftp.done');
    for (let n = 0; n < 50_000; n += 1) say('dhcp.offer', { boot: 'chain-tftp' }, inventedMac(n));
    expect(stage()).toBe('ipxe');
    expect(timeline.find(MAC_1)?.entries).toHaveLength(2);
    expect(timeline.tracks()).toHaveLength(2_048 + 1);
  });

  test('the machine that was silent the longest goes first', () => {
    const { say, timeline } = setUp();
    for (let n = 0; n < 4_096; n += 1) say('tftp.done', {}, inventedMac(n));
    say('dhcp.offer', {}, inventedMac(0));
    say('tftp.done', {}, MAC_1);
    expect(timeline.tracks()).toHaveLength(4_096);
    expect(timeline.find(inventedMac(0))).toBeDefined();
    expect(timeline.find(inventedMac(1))).toBeUndefined();
  });

  test('a machine keeps its last entries, and all machines together a fixed number', () => {
    const { say, timeline } = setUp();
    for (let n = 0; n < 1_000; n += 1) for (const file of ['a', 'b']) say(`tftp.done`, { reason: `${file}${n}` });
    expect(timeline.find(MAC_1)?.entries.length).toBeLessThanOrEqual(256);
    expect(timeline.find(MAC_1)?.entries.at(-1)?.fields['reason']).toBe('b999');
    for (let mac = 0; mac < 1_000; mac += 1)
      for (let n = 0; n < 200; n += 1) say('tftp.done', { reason: String(n) }, inventedMac(mac));
    const all = timeline.tracks().reduce((sum, { entries }) => sum + entries.length, 0);
    expect(all).toBeLessThanOrEqual(131_072 + 256);
    expect(all).toBeGreaterThan(130_000);
    expect(timeline.find(MAC_1)).toBeUndefined();
  });

  test('the same line over and over is counted, not kept', async () => {
    const { clock, say, timeline } = setUp();
    for (let n = 0; n < 1_000; n += 1) {
      say('dhcp.offer', { boot: 'chain-tftp' });
      await clock.advance(10);
    }
    const entries = timeline.find(MAC_1)?.entries ?? [];
    expect(entries).toHaveLength(3);
    expect(entries[2]).toMatchObject({ repeats: 997, repeatedAt: clock.now() - 10 });
  });

  test('nothing is older than a day', async () => {
    const { clock, say, timeline } = setUp();
    say('tftp.done', { reason: 'old' });
    await clock.advance(13 * 3_600_000);
    say('tftp.done', { reason: 'new' });
    await clock.advance(13 * 3_600_000);
    say('http.script');
    expect(timeline.find(MAC_1)?.entries.map(({ fields }) => fields['reason'])).toEqual(['new', undefined]);
    await clock.advance(25 * 3_600_000);
    expect(timeline.find(MAC_1)).toBeUndefined();
    expect(timeline.tracks()).toEqual([]);
  });
});
