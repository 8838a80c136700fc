/** ACKs of one trial of each way of waiting, and for how many the quicker one is kept. */
const TRIAL = 64;
const KEEP = 2_048;
/** What takes longer is a client that has paused, and says nothing of the two. */
const LONGEST_MS = 1;
/** Staying awake costs a processor: it has to be worth this much. */
const WORTH = 0.95;

type Phase = 'trial-asleep' | 'trial-awake' | 'keep';

/**
 * Whether to wait for a lone client's next ACK awake, looking again and again, or asleep. A thread needs some 20 µs to
 * fall asleep and wake up: awake, a client on a fast link is served nearly twice as fast. On a busy host it is the other
 * way round, for a thread that never sleeps is the first that has to wait. So both are tried, now and then.
 */
export class Wakefulness {
  readonly #mayStayAwake: boolean;
  #phase: Phase = 'trial-asleep';
  #left = TRIAL;
  #isAwake = false;
  #spentMs = 0;
  #asleepMs = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** `processors`: on a single one the client itself would wait meanwhile. */
  constructor(processors: number) {
    this.#mayStayAwake = processors > 1;
  }

  get isAwake(): boolean {
    return this.#isAwake;
  }

  /** An ACK has come; `now` in milliseconds. */
  note(now: number): void {
    if (!this.#mayStayAwake) return;
    const tookMs = now - this.#lastAt;
    this.#lastAt = now;
    if (tookMs > LONGEST_MS) return;
    this.#spentMs += tookMs;
    this.#left -= 1;
    if (this.#left > 0) return;
    switch (this.#phase) {
      case 'trial-asleep':
        this.#asleepMs = this.#spentMs;
        return this.#begin('trial-awake', TRIAL, true);
      case 'trial-awake':
        return this.#begin('keep', KEEP, this.#spentMs < this.#asleepMs * WORTH);
      case 'keep':
        return this.#begin('trial-asleep', TRIAL, false);
      default:
        return this.#phase satisfies never;
    }
  }

  #begin(phase: Phase, count: number, isAwake: boolean): void {
    this.#phase = phase;
    this.#left = count;
    this.#isAwake = isAwake;
    this.#spentMs = 0;
  }
}
