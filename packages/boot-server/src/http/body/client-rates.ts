import { TokenBucket } from './token-bucket.ts';

/** One bucket for each client that is being sent something. */
export class ClientRates {
  readonly #perSecond: number | undefined;
  readonly #buckets = new Map<string, { readonly bucket: TokenBucket; users: number }>();

  constructor(perSecond: number | undefined) {
    this.#perSecond = perSecond;
  }

  /** Undefined when there is no limit. Pair it with `leave`. */
  enter(client: string, nowMs: number): TokenBucket | undefined {
    if (this.#perSecond === undefined) return undefined;
    const known = this.#buckets.get(client) ?? { bucket: new TokenBucket(this.#perSecond, nowMs), users: 0 };
    known.users += 1;
    this.#buckets.set(client, known);
    return known.bucket;
  }

  leave(client: string): void {
    const known = this.#buckets.get(client);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users === 0) this.#buckets.delete(client);
  }
}
