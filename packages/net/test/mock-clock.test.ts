import { describe, expect, it } from 'vitest';
import { MockClock } from '../src/index.ts';

describe('MockClock', () => {
  it('runs timers in the order of their time, and those of one time in the order of setting', async () => {
    const clock = new MockClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push(`c at ${clock.monotonic()}`), 20);
    clock.setTimeout(() => fired.push(`a at ${clock.monotonic()}`), 10);
    clock.setTimeout(() => fired.push(`b at ${clock.monotonic()}`), 10);
    await clock.advance(25);
    expect(fired).toEqual(['a at 10', 'b at 10', 'c at 20']);
    expect(clock.monotonic()).toBe(25);
  });

  it('runs what a timer sets, when it falls due within the same advance', async () => {
    const clock = new MockClock();
    const fired: number[] = [];
    const loop = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        await clock.sleep(10);
        fired.push(clock.monotonic());
      }
    };
    const done = loop();
    await clock.advance(30);
    await done;
    expect(fired).toEqual([10, 20, 30]);
  });

  it('repeats an interval until it is cancelled, also from within', async () => {
    const clock = new MockClock();
    let ticks = 0;
    const timer = clock.setInterval(() => {
      ticks += 1;
      if (ticks === 3) timer.cancel();
    }, 10);
    await clock.advance(100);
    expect(ticks).toBe(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it('never fires a cancelled timer', async () => {
    const clock = new MockClock();
    let fired = false;
    const timer = clock.setTimeout(() => (fired = true), 10);
    timer.cancel();
    timer.cancel();
    await clock.advance(20);
    expect(fired).toBe(false);
  });

  it('ends a sleep with the reason of the abort, and leaves no timer behind', async () => {
    const clock = new MockClock();
    const controller = new AbortController();
    const sleep = clock.sleep(1000, controller.signal);
    controller.abort(new Error('stopping'));
    await expect(sleep).rejects.toThrow('stopping');
    await expect(clock.sleep(1000, controller.signal)).rejects.toThrow('stopping');
    expect(clock.pendingTimers).toBe(0);
  });

  it('advances until a condition holds, and not further', async () => {
    const clock = new MockClock();
    let ticks = 0;
    clock.setInterval(() => (ticks += 1), 10);
    await clock.advanceUntil(() => ticks === 5);
    expect(clock.monotonic()).toBe(50);
  });

  it('says so when the condition cannot come true', async () => {
    const clock = new MockClock();
    await expect(clock.advanceUntil(() => false)).rejects.toThrow('no timer is left');
    clock.setInterval(() => undefined, 10);
    await expect(clock.advanceUntil(() => false, 100)).rejects.toThrow('within 100 ms');
  });

  it('rejects with what a timer throws', async () => {
    const clock = new MockClock();
    clock.setTimeout(() => {
      throw new Error('a bug');
    }, 1);
    await expect(clock.advance(1)).rejects.toThrow('a bug');
  });

  it('steps the wall clock without touching timers or monotonic time', async () => {
    const clock = new MockClock({ nowMs: 1000 });
    let fired = false;
    clock.setTimeout(() => (fired = true), 10);
    clock.stepWallClock(-500);
    expect(clock.now()).toBe(500);
    await clock.advance(9);
    expect(fired).toBe(false);
    await clock.advance(1);
    expect({ fired, now: clock.now(), monotonic: clock.monotonic() }).toEqual({ fired: true, now: 510, monotonic: 10 });
  });
});
