/** Bytes that a client may have: `perSecond`, and after a pause at most `burst` at once. Times are monotonic, in ms. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    // Some 50 ms' worth: more would be the long burst that a rate is set to prevent.
    this.#burst = Math.max(MIN_BURST_BYTES, perSecond / 20);
    this.#tokens = this.#burst;
    this.#filledAt = nowMs;
  }

  /** How many of `wanted` bytes may go now: 0 until there are enough for a packet worth sending. */
  available(wanted: number, nowMs: number): number {
    this.#fill(nowMs);
    const granted = Math.min(wanted, Math.floor(this.#tokens));
    return granted < Math.min(wanted, MIN_GRANT_BYTES) ? 0 : granted;
  }

  take(bytes: number): void {
    this.#tokens -= bytes;
  }

  /** Until `available` grants something. */
  waitMs(wanted: number, nowMs: number): number {
    this.#fill(nowMs);
    const missing = Math.min(wanted, MIN_GRANT_BYTES) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil(missing / this.#perMs);
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledAt) * this.#perMs);
    this.#filledAt = nowMs;
  }
}

const MIN_BURST_BYTES = 65_536;
const MIN_GRANT_BYTES = 16_384;
