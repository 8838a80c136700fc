import { TokenBucket } from './token-bucket.ts';

/** One bucket for each client that is being sent something. */
export class ClientRates {
  #perSecond: number | undefined;
  readonly #buckets = new Map<string, { readonly bucket: TokenBucket; users: number }>();

  constructor(perSecond: number | undefined) {
    this.#perSecond = perSecond;
  }

  /** For clients that enter from now on, and have no connection that entered before. */
  set(perSecond: number | undefined): void {
    this.#perSecond = perSecond;
  }

  /** Whether anybody is held back. */
  get isLimiting(): boolean {
    return this.#buckets.size > 0;
  }

  /** Undefined when there is no limit. Pair it with `leave`. */
  enter(client: string, nowMs: number): TokenBucket | undefined {
    const known = this.#buckets.get(client);
    if (known !== undefined) {
      known.users += 1;
      return known.bucket;
    }
    if (this.#perSecond === undefined) return undefined;
    const bucket = new TokenBucket(this.#perSecond, nowMs);
    this.#buckets.set(client, { bucket, users: 1 });
    return bucket;
  }

  /** `bucket`: what `enter` gave. */
  leave(client: string, bucket: TokenBucket | undefined): void {
    const known = this.#buckets.get(client);
    if (known === undefined || known.bucket !== bucket) return;
    known.users -= 1;
    if (known.users === 0) this.#buckets.delete(client);
  }
}
