import type { Clock } from '@ingot/net';
import type { Lease, LeaseStore } from '../store/leases.ts';
import { addressSearch, type AddressSearch, type SearchMemory } from './address-search.ts';
import { findSubnet, type Subnet } from './subnets.ts';

/** Who has which address. */
export interface LeaseHolders {
  /** Who holds, or last held, this address. */
  readonly holderOf: (address: number) => Lease | undefined;
  /** How long the lease of this address still runs, whole seconds; undefined when nobody has one. */
  readonly secondsLeft: (address: number) => number | undefined;
  /** What this NIC holds, or last held, in every subnet. */
  readonly leasesOf: (mac: string) => Lease[];
  /** Running leases by subnet. */
  readonly counts: () => Map<string, number>;
}

/**
 * Leases and standing offers, by address and by client. It writes down what it is told and asks nobody whether that is
 * right: the rules are the lease engine's.
 */
export interface LeaseTable extends LeaseHolders {
  /** By address; running, expired, released and declined. */
  readonly leases: ReadonlyMap<number, Lease>;
  /** Throws when the subnet is none of the table's. */
  readonly stateOf: (subnet: Subnet) => NetworkLeases;
  /** Whether somebody else has a running lease of `address` or an offer, or it is set aside. */
  readonly isHeldByAnother: (mac: string, address: number) => boolean;
  /** Whether `mac` was offered `address`, or has it. */
  readonly isIts: (subnet: Subnet, mac: string, address: number) => boolean;
  /** On disk when it returns. Unless it is one set aside, its client's former address in this network is forgotten. */
  readonly put: (lease: Lease, state: NetworkLeases) => void;
  /** In place of an earlier offer to `mac`. `until` is of `Clock.monotonic`. */
  readonly putOffer: (state: NetworkLeases, mac: string, address: number, until: number) => void;
  readonly dropOffer: (state: NetworkLeases, mac: string) => void;
  /** What it knows beyond the store. */
  readonly memory: () => LeaseTableMemory;
}

/**
 * One network's own: looking a machine up costs one look, however many networks there are. Only the table changes it.
 */
export interface NetworkLeases {
  readonly subnet: Subnet;
  /** mac → address that it holds or held last. */
  readonly byClient: Map<string, number>;
  /** mac → address that it was offered. */
  readonly offerOf: Map<string, number>;
  /** Undefined where there is no pool. */
  readonly search: AddressSearch | undefined;
}

interface Offer {
  readonly mac: string;
  /** `Clock.monotonic`. */
  readonly until: number;
}

/** What a table knows beyond its store: with it another one goes on as this one would. */
export interface LeaseTableMemory {
  readonly offers: readonly (Offer & { readonly address: number })[];
  /** By subnet. */
  readonly searches: ReadonlyMap<string, SearchMemory>;
}

export function leaseTable(components: {
  clock: Clock;
  store: LeaseStore;
  subnets: readonly Subnet[];
  /** Whether a client that has nothing yet may have `address` now. Not called before this returns. */
  isFree: (subnet: Subnet, mac: string, address: number) => boolean;
  /** Of the table that this one takes the place of. */
  memory: LeaseTableMemory | undefined;
}): LeaseTable {
  const { clock, store, subnets, isFree, memory } = components;
  const leases = new Map<number, Lease>();
  const offers = new Map<number, Offer>();
  const states = new Map<string, NetworkLeases>();
  const searchOf = (subnet: Subnet): AddressSearch | undefined => {
    const { pool } = subnet;
    if (pool === undefined) return undefined;
    const before = memory?.searches.get(subnet.id);
    const isWithin = ({ address }: Lease): boolean => address >= pool.first && address <= pool.last;
    return addressSearch({
      clock,
      pool,
      isUsed: (address) => leases.has(address),
      isFree: (mac, address) => isFree(subnet, mac, address),
      expiryOf: (address) => leases.get(address)?.expiresAt,
      former: () => leases.values().filter(isWithin),
      memory: before?.pool.first === pool.first && before.pool.last === pool.last ? before : undefined,
    });
  };
  for (const subnet of subnets) {
    states.set(subnet.id, { subnet, byClient: new Map(), offerOf: new Map(), search: searchOf(subnet) });
  }
  const stateOf = ({ id }: Subnet): NetworkLeases => {
    const state = states.get(id);
    if (state === undefined) throw new Error(`subnet ${id} is none of this engine's`);
    return state;
  };

  const keep = (lease: Lease, state: NetworkLeases): void => {
    const { byClient } = state;
    if (lease.state !== 'declined') {
      const before = byClient.get(lease.mac);
      if (before !== undefined && before !== lease.address) forget(before, state);
      byClient.set(lease.mac, lease.address);
    } else if (byClient.get(lease.mac) === lease.address) byClient.delete(lease.mac);
    const former = leases.get(lease.address);
    if (former !== undefined && former.mac !== lease.mac && byClient.get(former.mac) === lease.address) {
      byClient.delete(former.mac);
    }
    leases.set(lease.address, lease);
  };
  const forget = (address: number, { search }: NetworkLeases): void => {
    leases.delete(address);
    store.delete(address);
    search?.freed();
  };
  for (const lease of store.all().toSorted((a, b) => a.expiresAt - b.expiresAt)) {
    const subnet = findSubnet(subnets, lease.address);
    // A network taken out of the configuration may come back: its rows stay on disk, unread.
    if (subnet !== undefined) keep(lease, stateOf(subnet));
  }

  for (const { address, mac, until } of memory?.offers ?? []) {
    const subnet = findSubnet(subnets, address);
    if (subnet === undefined) continue;
    offers.set(address, { mac, until });
    stateOf(subnet).offerOf.set(mac, address);
  }

  // The clients of a group that is not on disk were not answered: nobody has what the group gave them.
  store.onRollback((rows) => {
    for (const address of rows.keys()) {
      const lease = leases.get(address);
      const subnet = findSubnet(subnets, address);
      if (lease === undefined || subnet === undefined) continue;
      leases.delete(address);
      const { byClient, search } = stateOf(subnet);
      search?.freed();
      if (byClient.get(lease.mac) === address) byClient.delete(lease.mac);
    }
    for (const [address, lease] of rows) {
      const subnet = findSubnet(subnets, address);
      if (lease !== undefined && subnet !== undefined) keep(lease, stateOf(subnet));
    }
  });

  return {
    leases,
    stateOf,
    isHeldByAnother: (mac, address) => {
      const lease = leases.get(address);
      if (lease !== undefined && lease.expiresAt > clock.now()) {
        if (lease.state === 'declined') return true;
        if (lease.state === 'bound' && lease.mac !== mac) return true;
      }
      const offer = offers.get(address);
      return offer !== undefined && offer.mac !== mac && offer.until > clock.monotonic();
    },
    isIts: (subnet, mac, address) => {
      const lease = leases.get(address);
      return stateOf(subnet).offerOf.get(mac) === address || (lease?.mac === mac && lease.state === 'bound');
    },
    put: (lease, state) => {
      store.put(lease);
      keep(lease, state);
    },
    putOffer: ({ offerOf }, mac, address, until) => {
      const before = offerOf.get(mac);
      if (before !== undefined && before !== address) offers.delete(before);
      const stale = offers.get(address);
      if (stale !== undefined && stale.mac !== mac) offerOf.delete(stale.mac);
      offers.set(address, { mac, until });
      if (before !== address) offerOf.set(mac, address);
    },
    dropOffer: ({ offerOf, search }, mac) => {
      const address = offerOf.get(mac);
      if (address === undefined) return;
      offerOf.delete(mac);
      offers.delete(address);
      search?.freed();
    },
    holderOf: (address) => {
      const lease = leases.get(address);
      return lease?.state === 'declined' ? undefined : lease;
    },
    secondsLeft: (address) => {
      const lease = leases.get(address);
      const leftMs = lease?.state === 'bound' ? lease.expiresAt - clock.now() : 0;
      return leftMs > 0 ? Math.floor(leftMs / 1000) : undefined;
    },
    leasesOf: (mac) => {
      const found: Lease[] = [];
      for (const { byClient } of states.values()) {
        const address = byClient.get(mac);
        const lease = address === undefined ? undefined : leases.get(address);
        if (lease !== undefined) found.push(lease);
      }
      return found;
    },
    counts: () => {
      const counts = new Map<string, number>(subnets.map((subnet) => [subnet.id, 0]));
      for (const lease of leases.values()) {
        if (lease.state !== 'bound' || lease.expiresAt <= clock.now()) continue;
        const subnet = findSubnet(subnets, lease.address);
        if (subnet !== undefined) counts.set(subnet.id, (counts.get(subnet.id) ?? 0) + 1);
      }
      return counts;
    },
    memory: () => {
      const searches = new Map<string, SearchMemory>();
      for (const [id, { search }] of states) if (search !== undefined) searches.set(id, search.memory());
      return { offers: [...offers].map(([address, offer]) => ({ address, ...offer })), searches };
    },
  };
}
