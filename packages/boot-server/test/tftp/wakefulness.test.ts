import { describe, expect, it } from 'vitest';
import { Wakefulness } from '../../src/tftp/native/wakefulness.ts';

/** `acks` ACKs that each took as long as the way of waiting takes; how many of them were waited for awake. */
function run(wakefulness: Wakefulness, acks: number, msOf: { asleep: number; awake: number }, start = 0): number {
  let now = start;
  let awake = 0;
  for (let ack = 0; ack < acks; ack += 1) {
    awake += wakefulness.isAwake ? 1 : 0;
    now += wakefulness.isAwake ? msOf.awake : msOf.asleep;
    wakefulness.note(now);
  }
  return awake / acks;
}

describe('waiting for a lone client’s ACK', () => {
  it('is done awake where that is quicker', () => {
    expect(run(new Wakefulness(2), 20_000, { asleep: 0.06, awake: 0.04 })).toBeGreaterThan(0.95);
  });

  it('is done asleep where staying awake is slower, or not worth a processor', () => {
    expect(run(new Wakefulness(2), 20_000, { asleep: 0.06, awake: 0.12 })).toBeLessThan(0.05);
    expect(run(new Wakefulness(2), 20_000, { asleep: 0.2, awake: 0.195 })).toBeLessThan(0.05);
  });

  it('follows a host that becomes busy', () => {
    const wakefulness = new Wakefulness(2);
    run(wakefulness, 20_000, { asleep: 0.06, awake: 0.04 });
    expect(run(wakefulness, 20_000, { asleep: 0.06, awake: 0.12 }, 10_000)).toBeLessThan(0.2);
  });

  it('is not judged by the pause between two transfers', () => {
    const wakefulness = new Wakefulness(2);
    run(wakefulness, 100, { asleep: 0.06, awake: 0.04 });
    // The pause falls into the trial of staying awake.
    expect(run(wakefulness, 2_000, { asleep: 0.06, awake: 0.04 }, 60_000)).toBeGreaterThan(0.9);
  });

  it('is always done asleep on a single processor', () => {
    expect(run(new Wakefulness(1), 20_000, { asleep: 0.06, awake: 0.04 })).toBe(0);
  });
});
