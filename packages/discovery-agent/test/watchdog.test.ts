import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { createPulse } from '../src/life/pulse.ts';
import { feedWatchdog } from '../src/life/watchdog.ts';
import { openSysfs } from '../src/sysfs.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

const device = (name: string, identity: string, timeoutS: number): Readonly<Record<string, string>> => ({
  [`/sys/class/watchdog/${name}/identity`]: `${identity}\n`,
  [`/sys/class/watchdog/${name}/timeout`]: `${timeoutS}\n`,
  [`/dev/${name}`]: '',
});

function watch(tree: Tree, driversLoaded = (): boolean => true) {
  const machine = plant(tree);
  const clock = new MockClock();
  const pulse = createPulse(clock);
  const stalls: string[] = [];
  const sysfs = openSysfs(machine.root);
  const lost: string[] = [];
  const chosen: string[] = [];
  const watchdog = feedWatchdog({
    sysfs,
    clock,
    pulse,
    driversLoaded,
    onChosen: (words) => chosen.push(words),
    onStall: (strand) => stalls.push(strand),
    onLost: (reason) => lost.push(reason),
  });
  const got = (name: string): string => readFileSync(join(machine.root, 'dev', name), 'utf8');
  return {
    clock,
    pulse,
    stalls,
    lost,
    chosen,
    machine,
    watchdog,
    got,
    [Symbol.dispose]: () => machine[Symbol.dispose](),
  };
}

test('the watchdog of the board is taken, not the kernel’s, three times within its time', async () => {
  using at = watch({ ...device('watchdog0', 'Software Watchdog', 60), ...device('watchdog1', 'iTCO_wdt', 12) });
  await at.clock.advance(12_000);
  expect([at.got('watchdog0'), at.got('watchdog1')]).toEqual(['', '....']);
  at.watchdog.stop();
  expect(at.got('watchdog1')).toBe('....V');
  await at.clock.advance(60_000);
  expect(at.got('watchdog1')).toBe('....V');
});

test('it gets nothing any more when a strand has stalled, though the event loop turns', async () => {
  using at = watch(device('watchdog0', 'Software Watchdog', 60));
  at.pulse.beat('life', 25_000);
  at.pulse.beat('heartbeat', 1_000_000);
  await at.clock.advance(300_000);
  expect([at.got('watchdog0'), at.stalls]).toEqual(['...', ['life']]);
  at.watchdog.stop();
  // No magic close either: what has stalled is not stopped on purpose.
  expect(at.got('watchdog0')).toBe('...');
});

test('a strand that beats again, or rests, has not stalled', async () => {
  using at = watch(device('watchdog0', 'Software Watchdog', 60));
  at.pulse.beat('life', 25_000);
  await at.clock.advance(20_000);
  at.pulse.beat('life', 25_000);
  await at.clock.advance(20_000);
  at.pulse.rest('life');
  await at.clock.advance(60_000);
  expect([at.stalls, at.got('watchdog0').length]).toEqual([[], 11]);
  at.watchdog.stop();
});

test('a device that takes nothing any more is said once, and the agent lives on', async () => {
  using at = watch({ '/sys/class/watchdog/watchdog0/timeout': '60\n', '/dev/watchdog0': { link: '/dev/full' } });
  await at.clock.advance(60_000);
  expect(at.lost).toEqual([expect.stringContaining('ENOSPC')]);
  expect(at.stalls).toEqual([]);
  at.watchdog.stop();
});

test('a watchdog whose driver loads after the agent has started is found, and fed', async () => {
  let isLoaded = false;
  using at = watch(device('watchdog0', 'Software Watchdog', 60), () => isLoaded);
  await at.clock.advance(8_000);
  expect([at.chosen, at.got('watchdog0')]).toEqual([[], '']);
  for (const [path, content] of Object.entries(device('watchdog1', 'iTCO_wdt', 30))) {
    mkdirSync(dirname(join(at.machine.root, path)), { recursive: true });
    writeFileSync(join(at.machine.root, path), content);
  }
  isLoaded = true;
  await at.clock.advance(25_000);
  expect(at.chosen).toEqual(['iTCO_wdt, restarts the machine after 30 s of silence']);
  expect([at.got('watchdog0'), at.got('watchdog1')]).toEqual(['', '...']);
  at.watchdog.stop();
});

test('drivers that hang do not keep the machine without its watchdog for ever', async () => {
  using at = watch(device('watchdog0', 'Software Watchdog', 60), () => false);
  await at.clock.advance(59_000);
  expect(at.got('watchdog0')).toBe('');
  await at.clock.advance(2_000);
  expect(at.got('watchdog0')).toBe('.');
  at.watchdog.stop();
});

test('where the watchdog of the board cannot be opened, the kernel’s is better than none', async () => {
  using at = watch({
    ...device('watchdog0', 'Software Watchdog', 60),
    ...device('watchdog1', 'iTCO_wdt', 12),
    '/dev/watchdog1': { link: '/nonexistent/watchdog1' },
  });
  expect(at.chosen).toEqual([
    expect.stringMatching(/^Software Watchdog, restarts .* 60 s of silence; iTCO_wdt cannot be used: .*ENOENT/),
  ]);
  expect(at.got('watchdog0')).toBe('.');
  at.watchdog.stop();
});

test('a machine without a watchdog lives without one, and says so', async () => {
  using at = watch({ '/sys/class/dmi/id/product_uuid': '', '/dev/null': '' });
  await at.clock.advance(60_000);
  expect(existsSync(join(at.machine.root, 'dev/watchdog'))).toBe(false);
  expect(at.chosen).toEqual([expect.stringMatching(/^none: \/dev\/watchdog cannot be used: .*ENOENT/)]);
  at.watchdog.stop();
});
