import type { Clock } from '@ingot/net';
import type { Pool } from './pool.ts';

/** When an address was given up, milliseconds since the epoch; in the future while somebody has it. */
export interface FormerLease {
  readonly address: number;
  readonly expiresAt: number;
}

/** Where a search is: one that goes on from there finds what this one would. */
export interface SearchMemory {
  readonly pool: Pool;
  readonly cursor: number;
  readonly allUsed: boolean;
  readonly reusable: readonly FormerLease[];
  /** `Clock.monotonic`. */
  readonly emptyUntil: number;
}

export interface AddressSearchComponents {
  readonly clock: Clock;
  readonly pool: Pool;
  /** Whether anybody ever had it. */
  readonly isUsed: (address: number) => boolean;
  /** Whether a client that has nothing yet may have it now. */
  readonly isFree: (mac: string, address: number) => boolean;
  readonly expiryOf: (address: number) => number | undefined;
  /** Leases within the pool, in no order. */
  readonly former: () => Iterable<FormerLease>;
  /** Of a search through the same pool. */
  readonly memory?: SearchMemory | undefined;
}

/** Addresses for clients that have none: first what nobody ever had, then what its holder gave up the longest ago. */
export interface AddressSearch {
  readonly find: (mac: string) => number | undefined;
  /** Something was given back, or forgotten. */
  freed(): void;
  memory(): SearchMemory;
}

/** A pool that is found empty is not searched again so soon: whoever invents clients would have it searched for each. */
const EMPTY_MS = 100;

/**
 * A search through the whole pool is remembered: which addresses are left to be used again, that none is unused, that
 * there is none at all. So a client costs the same in a full pool of 65,536 as in an empty one.
 */
export function addressSearch(components: AddressSearchComponents): AddressSearch {
  const { clock, pool, isUsed, isFree, expiryOf, former, memory } = components;
  const size = pool.last - pool.first + 1;
  /** Where the search for an unused address goes on, from the start of the pool. */
  let cursor = memory?.cursor ?? 0;
  let allUsed = memory?.allUsed ?? false;
  /** The longest gone last. */
  let reusable: FormerLease[] = [...(memory?.reusable ?? [])];
  let emptyUntil = memory?.emptyUntil ?? -Infinity;

  const unused = (mac: string): number | undefined => {
    if (allUsed) return undefined;
    let isAnyUnused = false;
    for (let step = 0; step < size; step += 1) {
      const offset = (cursor + step) % size;
      const address = pool.first + offset;
      if (isUsed(address)) continue;
      isAnyUnused = true;
      if (!isFree(mac, address)) continue;
      cursor = offset + 1;
      return address;
    }
    allUsed = !isAnyUnused;
    return undefined;
  };
  const longestGone = (mac: string): number | undefined => {
    for (let searched = false; ; searched = true) {
      for (let next = reusable.pop(); next !== undefined; next = reusable.pop())
        if (expiryOf(next.address) === next.expiresAt && isFree(mac, next.address)) return next.address;
      if (searched) return undefined;
      const now = clock.now();
      reusable = [...former()]
        .filter(({ expiresAt }) => expiresAt <= now)
        .toSorted((a, b) => b.expiresAt - a.expiresAt);
    }
  };
  return {
    find: (mac) => {
      if (clock.monotonic() < emptyUntil) return undefined;
      const found = unused(mac) ?? longestGone(mac);
      if (found === undefined) emptyUntil = clock.monotonic() + EMPTY_MS;
      return found;
    },
    freed: () => {
      allUsed = false;
      emptyUntil = -Infinity;
    },
    memory: () => ({ pool, cursor, allUsed, reusable: [...reusable], emptyUntil }),
  };
}
