import { setImmediate as realSetImmediate } from 'node:timers';
import type { Clock, Timer } from './clock.ts';

export interface MockClockOptions {
  /** Wall-clock time at the start, milliseconds since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly nowMs?: number;
}

interface Pending {
  readonly fn: () => void;
  readonly dueMs: number;
  /** Ties are broken by the order of setting. */
  readonly order: number;
}

const DEFAULT_NOW_MS = Date.UTC(2026, 0, 1);
const DEFAULT_LIMIT_MS = 24 * 60 * 60 * 1000;

/** Virtual time: it stands still until a test moves it, and then runs every timer that falls due, in order. */
export class MockClock implements Clock {
  #wallOffsetMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(options: MockClockOptions = {}) {
    this.#wallOffsetMs = options.nowMs ?? DEFAULT_NOW_MS;
  }

  now(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  /** Timers that have not fired and were not cancelled: 0 after a clean stop. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves the wall clock by `ms` (also back), as an NTP step does: `monotonic` and the timers do not notice. */
  stepWallClock(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  setTimeout(fn: () => void, ms: number): Timer {
    const pending = this.#add(fn, Math.max(0, ms));
    return { cancel: () => void this.#pending.delete(pending) };
  }

  setInterval(fn: () => void, ms: number): Timer {
    const everyMs = Math.max(1, ms);
    // A chain of timers; the handle follows it to its current link, so that `fn` may cancel its own interval.
    const tick = (): void => {
      link = this.#add(tick, everyMs);
      fn();
    };
    let link = this.#add(tick, everyMs);
    return { cancel: () => void this.#pending.delete(link) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Moves time on by `ms`, runs what falls due on the way at its own time, and lets promises settle after each.
   * Rejects with what a timer throws.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    await this.settle();
    for (let next = this.#next(); next !== undefined && next.dueMs <= untilMs; next = this.#next()) {
      await this.#run(next);
    }
    this.#monotonicMs = Math.max(this.#monotonicMs, untilMs);
    await this.settle();
  }

  /**
   * Moves time on, timer by timer, until `condition` holds. Rejects when it does not within `limitMs` of virtual time
   * (default: a day), or when no timer is left that could change anything.
   */
  async advanceUntil(condition: () => boolean, limitMs: number = DEFAULT_LIMIT_MS): Promise<void> {
    const startMs = this.#monotonicMs;
    await this.settle();
    while (!condition()) {
      const next = this.#next();
      if (next === undefined)
        throw new Error('advanceUntil: the condition does not hold and no timer is left to wait for');
      if (next.dueMs > startMs + limitMs)
        throw new Error(`advanceUntil: the condition does not hold within ${limitMs} ms`);
      await this.#run(next);
    }
  }

  /** Lets everything that is ready run, without moving time: promise chains, and I/O callbacks that are due. */
  async settle(): Promise<void> {
    // Two rounds: a promise chain may itself wait for one turn of the event loop.
    for (let round = 0; round < 2; round += 1) {
      await new Promise<void>((resolve) => {
        realSetImmediate(resolve);
      });
    }
  }

  #add(fn: () => void, inMs: number): Pending {
    const pending: Pending = { fn, dueMs: this.#monotonicMs + inMs, order: this.#order };
    this.#order += 1;
    this.#pending.add(pending);
    return pending;
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const each of this.#pending) {
      if (first === undefined || each.dueMs < first.dueMs || (each.dueMs === first.dueMs && each.order < first.order)) {
        first = each;
      }
    }
    return first;
  }

  async #run(pending: Pending): Promise<void> {
    this.#pending.delete(pending);
    this.#monotonicMs = Math.max(this.#monotonicMs, pending.dueMs);
    pending.fn();
    await this.settle();
  }
}
