import { describe, expect, it } from 'vitest';
import { systemClock } from '../src/index.ts';

describe('systemClock', () => {
  it('tells the wall-clock time, and a monotonic one that does not go back', async () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
    const before = systemClock.monotonic();
    await systemClock.sleep(2);
    expect(systemClock.monotonic()).toBeGreaterThan(before);
  });

  it('ends a sleep with the reason of the abort', async () => {
    const controller = new AbortController();
    const sleep = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error('stopping'));
    await expect(sleep).rejects.toThrow('stopping');
    await expect(systemClock.sleep(0, controller.signal)).rejects.toThrow('stopping');
  });

  it('fires a timer once, an interval until cancelled, and a cancelled timer never', async () => {
    const fired: string[] = [];
    const done = Promise.withResolvers<void>();
    systemClock.setTimeout(() => fired.push('never'), 1).cancel();
    let ticks = 0;
    const interval = systemClock.setInterval(() => {
      ticks += 1;
      if (ticks < 3) return;
      interval.cancel();
      systemClock.setTimeout(done.resolve, 2);
    }, 1);
    await done.promise;
    expect({ fired, ticks }).toEqual({ fired: [], ticks: 3 });
  });
});
