import { readFileSync } from 'node:fs';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock, mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { runPings } from '../src/pings.ts';
import { bmcAgentVersion } from '../src/version.ts';

test('the worker tells the API every five minutes that it is there, and sooner when that fails', async () => {
  const clock = new MockClock();
  const startMs = clock.now();
  const log = new MemoryLogger();
  const stop = new AbortController();
  const pings: number[] = [];
  let isAway = false;
  const over = runPings({
    api: {
      ping(startedMs, intervalMs) {
        if (isAway) return Promise.reject(new Error('the API is away'));
        pings.push(clock.now() - startMs);
        expect([startedMs, intervalMs]).toEqual([startMs, 300_000]);
        return Promise.resolve();
      },
    },
    clock,
    entropy: mockEntropy(1),
    log,
    signal: stop.signal,
  });
  await clock.advance(301_000);
  expect(pings).toEqual([0, 300_000]);
  isAway = true;
  await clock.advance(600_000);
  isAway = false;
  await clock.advance(60_000);
  expect(pings).toHaveLength(3);
  expect(log.records.map(({ msg }) => msg)).toEqual([
    'the API does not know of this worker',
    'the API knows of this worker again',
  ]);
  stop.abort(new Error('the worker stops'));
  await over;
});

test('its version is that of the package', () => {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  expect(bmcAgentVersion).toBe(`ingot ${version}`);
});
