import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '@ingot/api';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { callObserver } from '../src/call-log.ts';
import { connectionsWithin, OPEN_FILES } from '../src/open-files.ts';
import { refusalObserver } from '../src/refusals.ts';

test('what happens to connections is counted each time, and said once a minute', async () => {
  const clock = new MockClock();
  const [log, metrics] = [new MemoryLogger(), createMetrics()];
  const observe = refusalObserver({ clock, log, metrics });
  for (let count = 0; count < 1_000; count += 1) observe(Refusal.Full, '10.0.0.7:1');
  observe(Refusal.Stalled, '10.0.0.8:1');
  await clock.advance(60_000);
  observe(Refusal.Full, '10.0.0.9:1');
  expect(log.records.map(({ fields }) => [fields['reason'], fields['peer'], fields['more']])).toEqual([
    ['full', '10.0.0.7:1', 0],
    ['stalled', '10.0.0.8:1', 0],
    ['full', '10.0.0.9:1', 999],
  ]);
  expect(await metrics.text()).toContain('ingot_api_refused_connections_total{reason="full"} 1001');
});

test('calls that fail are all counted, and so many in a minute are in the log', async () => {
  const clock = new MockClock();
  const [log, metrics] = [new MemoryLogger(), createMetrics()];
  const observe = callObserver({ clock, log, metrics });
  const record = { method: '/x/Y', peer: 'unix', requestId: '1', durationMs: 1, code: 'Unauthenticated' } as const;
  for (let count = 0; count < 5_000; count += 1) observe(record);
  expect(log.records).toHaveLength(1_000);
  await clock.advance(60_000);
  observe(record);
  expect(log.records.slice(1_000).map(({ fields }) => [fields['event'], fields['left']])).toEqual([
    ['api.calls', 4_000],
    ['api.call', undefined],
  ]);
  expect(await metrics.text()).toContain('ingot_api_calls_total{method="/x/Y",code="Unauthenticated"} 5001');
});

test('connections leave the files alone that the server needs itself', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-limits-'));
  const within = async (soft: string): Promise<number> => {
    const file = join(directory, 'limits');
    await writeFile(file, `Limit   Soft Limit  Hard Limit  Units\nMax open files            ${soft}        9  files\n`);
    return connectionsWithin(file);
  };
  try {
    expect(await within('1024')).toBe(896);
    expect(await within('65536')).toBe(10_000);
    expect(await within('unlimited')).toBe(10_000);
    expect(await within('64')).toBe(16);
    expect(await connectionsWithin(join(directory, 'none'))).toBe(10_000);
    expect(await connectionsWithin(OPEN_FILES)).toBeGreaterThan(0);
  } finally {
    await rm(directory, { recursive: true });
  }
});
