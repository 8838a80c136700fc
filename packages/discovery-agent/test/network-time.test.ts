import { MockClock, MockNetwork, mockEntropy } from '@ingot/net';
import { beforeEach, expect, test } from 'vitest';
import { Board } from '../src/life/board.ts';
import { followTimeServers } from '../src/life/network-time.ts';
import { createReporter } from '../src/life/reporter.ts';
import { timeServer } from './time-server.ts';

const now = Date.UTC(2026, 10, 21, 10);

let clock: MockClock;
let network: MockNetwork;
let lines: string[];
let commands: string[];
let serve: (address: string, aheadMs: number, change?: (answer: Uint8Array) => void) => Promise<void>;

beforeEach(() => {
  clock = new MockClock({ nowMs: now });
  network = new MockNetwork({ clock });
  lines = [];
  commands = [];
  serve = (address, aheadMs, change) =>
    timeServer({ network, clock, address, now: () => clock.now() + aheadMs }, change);
});

/** Whether the clock agrees with a server's in the end. */
async function follow(servers: readonly string[], names: Readonly<Record<string, string>> = {}): Promise<boolean> {
  const signal = new AbortController().signal;
  const state = { setPhase: () => undefined, log: () => undefined };
  const reporter = createReporter({
    clock,
    state,
    board: new Board(() => []),
    uptime: () => 1,
    write: (line) => lines.push(line.replace(/^INGOT \S+ config /, '')),
  });
  const following = followTimeServers(servers, {
    network: network.host('machine', '10.0.0.9'),
    clock,
    entropy: mockEntropy(3),
    reporter,
    signal,
    resolveHost: (name) => Promise.resolve(names[name] === undefined ? [] : [names[name]]),
    run: (file, args) => {
      commands.push([file, ...args].join(' '));
      return Promise.resolve('');
    },
  });
  await clock.advance(5_000);
  return following;
}

test('the clock is set by the first server that answers, to the second', async () => {
  await serve('10.0.0.2', 3_600_000);
  expect(await follow(['10.0.0.1', '10.0.0.2'])).toBe(true);
  expect(commands).toEqual([`date -u -s @${(now + 3_600_000) / 1000}`]);
  expect(lines).toEqual(['clock was 3600 s behind the time server 10.0.0.2, set']);
});

test('a clock that is right is left alone', async () => {
  await serve('10.0.0.2', 400);
  expect(await follow(['10.0.0.2'])).toBe(true);
  expect(commands).toEqual([]);
  expect(lines).toEqual([]);
});

test('a name is looked up', async () => {
  await serve('10.0.0.2', -7_200_000);
  await follow(['ntp.rack'], { 'ntp.rack': '10.0.0.2' });
  expect(commands).toEqual([`date -u -s @${(now - 7_200_000) / 1000}`]);
});

test('a lost request is sent again', async () => {
  await serve('10.0.0.2', 3_600_000);
  let dropped = 0;
  network.intercept(() => {
    dropped += 1;
    return dropped <= 2 ? 'drop' : undefined;
  });
  await follow(['10.0.0.2']);
  expect(commands).toEqual([expect.stringMatching(/^date /)]);
});

test('without an answer the clock stays as it is, and each server’s reason is said', async () => {
  await serve('10.0.0.2', 3_600_000, (answer) => (answer[0] = 0xe4));
  expect(await follow(['10.0.0.1', '10.0.0.2', 'nobody.rack'])).toBe(false);
  expect(commands).toEqual([]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^no time server answers \(.*: the clock stays as it is$/);
  expect(lines[0]).toContain('10.0.0.1: no answer');
  expect(lines[0]).toContain('10.0.0.2: the server does not know the time');
  expect(lines[0]).toContain('nobody.rack: the name has no address');
});

test('a server whose clock lost its battery is not followed', async () => {
  await serve('10.0.0.2', Date.UTC(2000, 0, 1) - now);
  expect(await follow(['10.0.0.2'])).toBe(false);
  expect(commands).toEqual([]);
  expect(lines).toEqual([expect.stringContaining('which is long past: not followed')]);
});
