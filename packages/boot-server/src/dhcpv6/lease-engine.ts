import { createHash } from 'node:crypto';
import type { Clock } from '@ingot/net';
import { ipv6OfBigInt, type Ipv6 } from '@ingot/wire';
import type { Lease6, Lease6Store } from '../store/leases6.ts';
import { findSubnet6, poolContains, type Subnet6 } from './subnets.ts';

/** Who asks: a binding belongs to a DUID and an IAID (RFC 8415 §12). */
export interface Lease6Client {
  readonly duid: string;
  readonly iaid: number;
  readonly mac: string | undefined;
  readonly uuid: string | undefined;
}

/** What a client asks for. */
export interface Lease6Wish {
  /** Addresses that it names itself. */
  readonly addresses: readonly Ipv6[];
  /** Given to its other identity associations in the same answer. */
  readonly taken: ReadonlySet<Ipv6>;
  /** It is at work with what it has. */
  readonly isRenewal?: boolean;
}

/** Which IPv6 address whom, for how long. One address for each identity association. */
export interface Lease6Engine {
  /** The address that the client would get now; nothing is kept of it. */
  propose(subnet: Subnet6, client: Lease6Client, wish: Lease6Wish): Ipv6 | undefined;
  /** As `propose`; the lease is on disk when this returns. */
  lease(subnet: Subnet6, client: Lease6Client, wish: Lease6Wish): Ipv6 | undefined;
  /** What the client holds. */
  bindingOf(subnet: Subnet6, client: Lease6Client): Lease6 | undefined;
  /** False when the address is not this client's. */
  release(subnet: Subnet6, client: Lease6Client, address: Ipv6): boolean;
  /** The client found the address in use: nobody gets it for `DECLINE_HOLD_MS`. False when it is not this client's. */
  decline(subnet: Subnet6, client: Lease6Client, address: Ipv6): boolean;
  /** Who holds, or last held, this address. */
  holderOf(address: Ipv6): Lease6 | undefined;
  /** What this NIC holds now, under whatever DUIDs. */
  leasesOf(mac: string): Lease6[];
  /** Running leases by subnet. */
  counts(): Map<string, number>;
}

const DECLINE_HOLD_MS = 600_000;
/** Memory, and the disk: some 20 MB. Beyond it, and with nothing expired, there are no addresses. */
const MAX_LEASES = 65_536;
/**
 * Of one DUID through one NIC. EDK2 makes up an IAID at each boot: beyond this it gets its oldest address again. Machines
 * that were made of one image, or have no UUID of their own, share a DUID, and none may get what another one runs on.
 */
const MAX_LEASES_PER_CLIENT = 16;
/** Addresses tried for one client: with a pool of /64 the first is free, a full pool of 4096 is seen to its end. */
const MAX_PROBES = 4_096;
/** Looking for expired leases in a full table, at most so often. */
const PURGE_EVERY_MS = 10_000;

export function createLease6Engine(components: {
  clock: Clock;
  store: Lease6Store;
  subnets: readonly Subnet6[];
}): Lease6Engine {
  const { clock, store, subnets } = components;
  const leases = new Map<Ipv6, Lease6>();
  const byClient = new Map<string, Ipv6>();
  const byOwner = new Map<string, Set<Ipv6>>();
  const byMac = new Map<string, Set<Ipv6>>();
  const reserved = new Set<Ipv6>();
  for (const subnet of subnets) for (const address of subnet.reservations.values()) reserved.add(address);
  let purgedAt = Number.NEGATIVE_INFINITY;

  const keyOf = (subnet: Subnet6, { duid, iaid }: { duid: string; iaid: number }): string =>
    `${subnet.id} ${duid} ${iaid}`;
  const forget = (lease: Lease6): void => {
    leases.delete(lease.address);
    remove(byOwner, ownerOf(lease), lease.address);
    if (lease.mac !== undefined) remove(byMac, lease.mac, lease.address);
    const subnet = findSubnet6(subnets, lease.address);
    if (subnet === undefined) return;
    const key = keyOf(subnet, lease);
    if (byClient.get(key) === lease.address) byClient.delete(key);
  };
  const keep = (lease: Lease6, subnet: Subnet6): void => {
    const former = leases.get(lease.address);
    if (former !== undefined) forget(former);
    leases.set(lease.address, lease);
    add(byOwner, ownerOf(lease), lease.address);
    if (lease.mac !== undefined) add(byMac, lease.mac, lease.address);
    if (lease.state !== 'declined') byClient.set(keyOf(subnet, lease), lease.address);
  };
  const load = (): void => {
    for (const index of [leases, byClient, byOwner, byMac]) index.clear();
    for (const lease of store.all().toSorted((a, b) => a.expiresAt - b.expiresAt)) {
      const subnet = findSubnet6(subnets, lease.address);
      // A network taken out of the configuration may come back: its rows stay on disk, unread.
      if (subnet !== undefined) keep(lease, subnet);
    }
  };
  load();
  // The clients of a group that is not on disk were not answered: nobody has what the group gave them.
  store.onRollback(load);

  const reservationOf = (subnet: Subnet6, { duid, mac }: Pick<Lease6Client, 'duid' | 'mac'>): Ipv6 | undefined =>
    subnet.reservations.get(duid) ?? (mac === undefined ? undefined : subnet.reservations.get(mac));
  const isOf = (lease: Lease6, { duid, iaid }: Lease6Client): boolean => lease.duid === duid && lease.iaid === iaid;
  const isBarred = ({ state, expiresAt }: Lease6): boolean => state === 'declined' && expiresAt > clock.now();
  const isFree = (subnet: Subnet6, client: Lease6Client, address: Ipv6, { taken }: Lease6Wish): boolean => {
    if (taken.has(address)) return false;
    const lease = leases.get(address);
    if (lease !== undefined && isBarred(lease)) return false;
    const isRunning = lease?.state === 'bound' && lease.expiresAt > clock.now();
    // One NIC has a DUID in its firmware, one in iPXE and one in its operating system: all three get what is reserved,
    // once who had it before it was reserved is gone.
    if (reservationOf(subnet, client) === address) return !isRunning || reservationOf(subnet, lease) === address;
    if (reserved.has(address) || !poolContains(subnet, address)) return false;
    return !isRunning || isOf(lease, client);
  };
  /** Where a client's search begins: its own place in the pool, so that it finds the same address again. */
  const placeOf = (size: bigint, client: Lease6Client): bigint => {
    const hash = createHash('sha256').update(`${client.duid} ${client.iaid}`).digest();
    return hash.readBigUInt64BE(0) % size;
  };
  /** The one that it has had the longest, of this network. */
  const oldestOf = (subnet: Subnet6, client: Lease6Client, { taken }: Lease6Wish): Ipv6 | undefined => {
    let oldest: Lease6 | undefined;
    for (const address of byOwner.get(ownerOf(client)) ?? []) {
      const lease = leases.get(address);
      if (lease === undefined || isBarred(lease) || taken.has(address) || !poolContains(subnet, address)) continue;
      if (oldest === undefined || lease.expiresAt < oldest.expiresAt) oldest = lease;
    }
    return oldest?.address;
  };
  const search = (subnet: Subnet6, client: Lease6Client, wish: Lease6Wish): Ipv6 | undefined => {
    if (subnet.pool === undefined) return undefined;
    const { first, last } = subnet.pool;
    const size = last - first + 1n;
    const start = placeOf(size, client);
    const probes = size < BigInt(MAX_PROBES) ? Number(size) : MAX_PROBES;
    let usedBefore: Ipv6 | undefined;
    for (let probe = 0; probe < probes; probe += 1) {
      const address = ipv6OfBigInt(first + ((start + BigInt(probe)) % size));
      if (!isFree(subnet, client, address, wish)) continue;
      if (!leases.has(address)) return address;
      usedBefore ??= address;
    }
    return usedBefore;
  };
  const purge = (): void => {
    if (clock.monotonic() - purgedAt < PURGE_EVERY_MS) return;
    purgedAt = clock.monotonic();
    for (const lease of leases.values()) {
      if (lease.expiresAt > clock.now()) continue;
      forget(lease);
      store.delete(lease.address);
    }
  };
  const hasRoom = (): boolean => {
    if (leases.size >= MAX_LEASES) purge();
    return leases.size < MAX_LEASES;
  };

  const propose: Lease6Engine['propose'] = (subnet, client, wish) => {
    const own = reservationOf(subnet, client);
    // Who found somebody else there tries again when it starts anew, not in the midst of its work.
    const mayWait = wish.isRenewal === true && own !== undefined && leases.get(own)?.state === 'declined';
    if (own !== undefined && !mayWait && isFree(subnet, client, own, wish)) return own;
    // Until the one who has it is gone, one of the pool.
    const bound = byClient.get(keyOf(subnet, client));
    const candidates = bound === undefined ? wish.addresses : [bound, ...wish.addresses];
    const named = candidates.find((address) => isFree(subnet, client, address, wish));
    if (named !== undefined && leases.has(named)) return named;
    if ((byOwner.get(ownerOf(client))?.size ?? 0) >= MAX_LEASES_PER_CLIENT) return oldestOf(subnet, client, wish);
    const found = named ?? search(subnet, client, wish);
    return found === undefined || leases.has(found) || hasRoom() ? found : undefined;
  };
  return {
    propose,
    lease: (subnet, client, wish) => {
      const address = propose(subnet, client, wish);
      if (address === undefined) return undefined;
      const { duid, iaid, mac, uuid } = client;
      const lease: Lease6 = {
        address,
        duid,
        iaid,
        mac,
        uuid,
        state: 'bound',
        expiresAt: clock.now() + subnet.validSeconds * 1000,
      };
      const before = byClient.get(keyOf(subnet, client));
      const superseded = before === undefined || before === address ? undefined : leases.get(before);
      store.put(lease);
      if (superseded !== undefined) {
        forget(superseded);
        store.delete(superseded.address);
      }
      keep(lease, subnet);
      return address;
    },
    bindingOf: (subnet, client) => {
      const address = byClient.get(keyOf(subnet, client));
      const lease = address === undefined ? undefined : leases.get(address);
      return lease?.state === 'bound' ? lease : undefined;
    },
    release: (subnet, client, address) => {
      const lease = leases.get(address);
      if (lease === undefined || !isOf(lease, client) || lease.state !== 'bound') return false;
      const released: Lease6 = { ...lease, state: 'released', expiresAt: clock.now() };
      store.put(released);
      keep(released, subnet);
      return true;
    },
    decline: (subnet, client, address) => {
      const lease = leases.get(address);
      if (lease === undefined || !isOf(lease, client) || lease.state !== 'bound') return false;
      const declined: Lease6 = { ...lease, state: 'declined', expiresAt: clock.now() + DECLINE_HOLD_MS };
      store.put(declined);
      keep(declined, subnet);
      return true;
    },
    holderOf: (address) => {
      const lease = leases.get(address);
      return lease?.state === 'declined' ? undefined : lease;
    },
    leasesOf: (mac) =>
      [...(byMac.get(mac) ?? [])].flatMap((address) => {
        const lease = leases.get(address);
        return lease?.state === 'bound' && lease.expiresAt > clock.now() ? [lease] : [];
      }),
    counts: () => {
      const counts = new Map<string, number>(subnets.map((subnet) => [subnet.id, 0]));
      for (const lease of leases.values()) {
        if (lease.state !== 'bound' || lease.expiresAt <= clock.now()) continue;
        const subnet = findSubnet6(subnets, lease.address);
        if (subnet !== undefined) counts.set(subnet.id, (counts.get(subnet.id) ?? 0) + 1);
      }
      return counts;
    },
  };
}

function ownerOf({ duid, mac }: Pick<Lease6Client, 'duid' | 'mac'>): string {
  return `${duid} ${mac ?? ''}`;
}

function add<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, new Set([value]));
  else found.add(value);
}

function remove<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const found = index.get(key);
  found?.delete(value);
  if (found?.size === 0) index.delete(key);
}
