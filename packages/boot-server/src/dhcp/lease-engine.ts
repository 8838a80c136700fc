import type { Clock } from '@ingot/net';
import type { Lease, LeaseStore } from '../store/leases.ts';
import { networkContains } from '../ipv4.ts';
import { keepNewest } from '../limits/keep-newest.ts';
import { windowLimit } from '../limits/window-limit.ts';
import { leaseTable, type LeaseHolders, type LeaseTableMemory, type NetworkLeases } from './lease-table.ts';
import type { Subnet } from './subnets.ts';

/** Who asks. The client identifier (option 61) plays no part: see `LeaseEngine`. */
export interface LeaseClient {
  readonly mac: string;
  readonly uuid: string | undefined;
}

export type OfferResult =
  | { readonly ok: true; readonly address: number }
  | { readonly ok: false; readonly reason: 'pool-exhausted' };

export type ConfirmResult =
  | { readonly kind: 'ack'; readonly address: number }
  | { readonly kind: 'nak'; readonly reason: 'wrong-network' | 'address-of-another' | 'address-not-served' }
  | { readonly kind: 'silent'; readonly reason: 'unknown-lease' };

/** How a REQUEST is meant (RFC 2131 §4.3.2, table 4). */
export type RequestKind = 'selecting' | 'init-reboot' | 'renewing';

/**
 * Which address whom, for how long. Leases belong to the hardware address: one NIC shows a client identifier in its
 * firmware, another in iPXE and a third in the operating system, and must keep its address through all three.
 */
export interface LeaseEngine extends LeaseHolders {
  /** An address for a DISCOVER, held for `OFFER_HOLD_MS`. `wanted` is option 50. */
  offer(subnet: Subnet, client: LeaseClient, wanted: number | undefined): OfferResult;
  /** Whether `address` is one of the pool that this client did not lately hold: somebody else may have it. */
  isUnproven(subnet: Subnet, mac: string, address: number): boolean;
  /** Answers a REQUEST; an `ack` is on disk when this returns. */
  confirm(subnet: Subnet, client: LeaseClient, address: number, kind: RequestKind): ConfirmResult;
  /** The client took another server's offer. */
  withdraw(subnet: Subnet, mac: string): void;
  /** False when the address is not this client's. */
  release(subnet: Subnet, mac: string, address: number): boolean;
  /** The client found the address in use: it is set aside. */
  decline(subnet: Subnet, mac: string, address: number): 'declined' | 'not-its-address' | 'too-many-declines';
  /** Somebody else has the address: nobody gets it for `DECLINE_HOLD_MS`. False when it is not this client's. */
  setAside(subnet: Subnet, mac: string, address: number): boolean;
  /** A relay has this address: for a while it is not offered to anybody. */
  noteRelay(address: number): void;
  /** What it knows beyond the store. */
  memory(): LeaseMemory;
}

/** What an engine knows beyond its store: with it another one goes on as this one would. */
export interface LeaseMemory extends LeaseTableMemory {
  /** Addresses of relays, and until when (`Clock.monotonic`) they are not offered. */
  readonly relays: ReadonlyMap<number, number>;
}

/** EDK2 lets 3.7 s pass between OFFER and REQUEST; iPXE's last retry is after 16 s. */
export const OFFER_HOLD_MS = 30_000;
export const DECLINE_HOLD_MS = 600_000;

/** A NIC behind a switch that answers ARP for everybody finds every address in use: the pool is not its own. */
const MAX_DECLINES = 8;
const MAX_DECLINING_CLIENTS = 4_096;
/** Pairs of routers with an address each in the pool are few; whoever invents relays bars no more addresses than that. */
const MAX_RELAYS = 64;
const RELAY_HOLD_MS = 3_600_000;

/** A client that was away for longer may find somebody else at its address. */
const HELD_LATELY_MS = 3_600_000;

export function createLeaseEngine(components: {
  clock: Clock;
  store: LeaseStore;
  subnets: readonly Subnet[];
  /** Of the engine that this one takes the place of. */
  memory?: LeaseMemory | undefined;
}): LeaseEngine {
  const { clock, store, subnets, memory } = components;
  const reserved = new Map<number, string>();
  for (const subnet of subnets) for (const [mac, address] of subnet.reservations) reserved.set(address, mac);
  const limits = { windowMs: DECLINE_HOLD_MS, perClient: MAX_DECLINES, maxClients: MAX_DECLINING_CLIENTS };
  const mayDecline = windowLimit(clock, limits);
  /** Until when each is not offered. */
  const relays = new Map(memory?.relays);

  /** Whether `mac` may have `address`, whoever holds it. */
  const serves = (subnet: Subnet, mac: string, address: number, isRenewal = false): boolean => {
    const owner = reserved.get(address);
    if (owner !== undefined) return owner === mac;
    // A NIC with a reservation gets that and nothing else, once who had it before it was reserved is gone.
    const own = subnet.reservations.get(mac);
    // Who found somebody else there tries again when it starts anew, not in the midst of its work.
    const mayWait = isRenewal && own !== undefined && leases.get(own)?.state === 'declined';
    if (own !== undefined && !mayWait && !isHeldByAnother(mac, own)) return false;
    return subnet.pool !== undefined && address >= subnet.pool.first && address <= subnet.pool.last;
  };
  const isRelay = (address: number): boolean => (relays.get(address) ?? -Infinity) > clock.monotonic();
  const isFree = (subnet: Subnet, mac: string, address: number | undefined): address is number =>
    address !== undefined &&
    serves(subnet, mac, address) &&
    !isHeldByAnother(mac, address) &&
    (relays.size === 0 || !isRelay(address));

  const table = leaseTable({ clock, store, subnets, isFree, memory });
  const { leases, stateOf, isHeldByAnother, isIts, put, putOffer, dropOffer } = table;

  const choose = (state: NetworkLeases, mac: string, wanted: number | undefined): number | undefined => {
    const { subnet, byClient, offerOf } = state;
    const own = subnet.reservations.get(mac);
    if (isFree(subnet, mac, own)) return own;
    const held = byClient.get(mac);
    if (isFree(subnet, mac, held)) return held;
    const offered = offerOf.get(mac);
    if (isFree(subnet, mac, offered)) return offered;
    if (isFree(subnet, mac, wanted)) return wanted;
    return state.search?.find(mac);
  };

  const setAside = (subnet: Subnet, mac: string, address: number): boolean => {
    if (!isIts(subnet, mac, address)) return false;
    const state = stateOf(subnet);
    dropOffer(state, mac);
    const expiresAt = clock.now() + DECLINE_HOLD_MS;
    const declined: Lease = { address, mac, uuid: undefined, state: 'declined', expiresAt };
    put(declined, state);
    return true;
  };

  return {
    offer: (subnet, { mac }, wanted) => {
      const state = stateOf(subnet);
      const address = choose(state, mac, wanted);
      if (address === undefined) return { ok: false, reason: 'pool-exhausted' };
      putOffer(state, mac, address, clock.monotonic() + OFFER_HOLD_MS);
      return { ok: true, address };
    },
    isUnproven: (subnet, mac, address) => {
      if (subnet.reservations.get(mac) === address) return false;
      const lease = leases.get(address);
      if (lease === undefined || lease.mac !== mac || lease.state === 'declined') return true;
      return lease.expiresAt + HELD_LATELY_MS < clock.now();
    },
    confirm: (subnet, client, address, kind) => {
      const { mac } = client;
      const state = stateOf(subnet);
      if (!networkContains(subnet.network, address)) return { kind: 'nak', reason: 'wrong-network' };
      const current = state.byClient.get(mac);
      if (!serves(subnet, mac, address, kind === 'renewing')) {
        // RFC 2131 §4.3.2: with no record of the client stay silent, for another server may have one.
        const known =
          kind === 'selecting' || current !== undefined || reserved.has(address) || subnet.reservations.has(mac);
        return known ? { kind: 'nak', reason: 'address-not-served' } : { kind: 'silent', reason: 'unknown-lease' };
      }
      if (isHeldByAnother(mac, address)) return { kind: 'nak', reason: 'address-of-another' };
      const lease = current === undefined ? undefined : leases.get(current);
      // After a lost disk the client is the only one who knows its address, and it is free: it may keep it.
      if (kind === 'init-reboot' && lease !== undefined && lease.state === 'bound' && lease.address !== address) {
        return { kind: 'nak', reason: 'address-not-served' };
      }
      const uuid = client.uuid ?? (lease?.mac === mac ? lease.uuid : undefined);
      const bound: Lease = {
        address,
        mac,
        uuid,
        state: 'bound',
        expiresAt: clock.now() + subnet.leaseSeconds * 1000,
      };
      put(bound, state);
      dropOffer(state, mac);
      return { kind: 'ack', address };
    },
    withdraw: (subnet, mac) => {
      dropOffer(stateOf(subnet), mac);
    },
    release: (subnet, mac, address) => {
      const lease = leases.get(address);
      if (lease === undefined || lease.mac !== mac || lease.state !== 'bound') return false;
      const released: Lease = { ...lease, state: 'released', expiresAt: clock.now() };
      const state = stateOf(subnet);
      put(released, state);
      state.search?.freed();
      return true;
    },
    decline: (subnet, mac, address) => {
      if (!isIts(subnet, mac, address)) return 'not-its-address';
      if (!mayDecline(mac)) return 'too-many-declines';
      setAside(subnet, mac, address);
      return 'declined';
    },
    setAside,
    noteRelay: (address) => {
      const lease = leases.get(address);
      // Anybody can write a relay's address: it costs no machine the one that it has.
      if (lease?.state === 'bound' && lease.expiresAt > clock.now()) return;
      keepNewest(relays, address, clock.monotonic() + RELAY_HOLD_MS, MAX_RELAYS);
    },
    holderOf: table.holderOf,
    secondsLeft: table.secondsLeft,
    leasesOf: table.leasesOf,
    counts: table.counts,
    memory: () => ({ ...table.memory(), relays }),
  };
}
