import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { MockClock } from '@ingot/net';
import { addressSearch } from '../../src/dhcp/address-search.ts';
import { createLeaseEngine, DECLINE_HOLD_MS, OFFER_HOLD_MS, type LeaseEngine } from '../../src/dhcp/lease-engine.ts';
import { planDhcp } from '../../src/dhcp/plan.ts';
import { findSubnet, type Subnet } from '../../src/dhcp/subnets.ts';
import { numberOfIpv4, parseNetwork } from '../../src/ipv4.ts';
import { openDatabase } from '../../src/store/database.ts';
import { leaseStore, type LeaseStore } from '../../src/store/leases.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const n = (text: string): number => numberOfIpv4(text) ?? Number.NaN;
const client = (mac: string, uuid?: string): { mac: string; uuid: string | undefined } => ({ mac, uuid });

const NO_STORE: LeaseStore = {
  all: () => [],
  put: () => undefined,
  delete: () => undefined,
  onRollback: () => undefined,
};

interface Setup {
  readonly clock: MockClock;
  readonly engine: LeaseEngine;
  readonly subnet: Subnet;
  /** A second engine on a second connection to the same file, as after kill -9: nothing was closed. */
  reopen: () => LeaseEngine;
  /** The same file. */
  readonly store: LeaseStore;
}

function setup(pool = '10.0.0.100-10.0.0.101', reservations: { mac: string; address: string }[] = []): Setup {
  const folder = temporaryFolder();
  const { subnets } = planDhcp({
    advertiseAddress: '10.0.0.1',
    dhcp: { ...testConfig(folder).dhcp, subnets: [subnetConfig('10.0.0', { pool, reservations })] },
  });
  const [subnet] = subnets;
  if (subnet === undefined) throw new Error('no subnet');
  const clock = new MockClock();
  const open = (): LeaseEngine =>
    createLeaseEngine({ clock, subnets, store: leaseStore(openDatabase(join(folder, 'leases.sqlite'))) });
  return {
    clock,
    engine: open(),
    subnet,
    reopen: open,
    store: leaseStore(openDatabase(join(folder, 'leases.sqlite'))),
  };
}

describe('offers', () => {
  it('are the same when the client asks again', () => {
    const { engine, subnet } = setup();
    expect(engine.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.offer(subnet, client(MAC_2), undefined)).toEqual({ ok: true, address: n('10.0.0.101') });
  });

  it('honour a wish for an address that is free', () => {
    const { engine, subnet } = setup();
    expect(engine.offer(subnet, client(MAC_1), n('10.0.0.101'))).toEqual({ ok: true, address: n('10.0.0.101') });
    expect(engine.offer(subnet, client(MAC_2), n('10.0.0.101'))).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.offer(subnet, client(MAC_1), n('10.0.9.9'))).toEqual({ ok: true, address: n('10.0.0.101') });
  });

  it('run out, and come back when nobody takes them', async () => {
    const { engine, subnet, clock } = setup();
    engine.offer(subnet, client(MAC_1), undefined);
    engine.offer(subnet, client(MAC_2), undefined);
    expect(engine.offer(subnet, client('52:54:00:00:01:03'), undefined)).toEqual({
      ok: false,
      reason: 'pool-exhausted',
    });
    await clock.advance(OFFER_HOLD_MS);
    expect(engine.offer(subnet, client('52:54:00:00:01:03'), undefined).ok).toBe(true);
  });

  it('are free at once when the client takes another server’s', () => {
    const { engine, subnet } = setup('10.0.0.100-10.0.0.100');
    engine.offer(subnet, client(MAC_1), undefined);
    engine.withdraw(subnet, MAC_1);
    expect(engine.offer(subnet, client(MAC_2), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
  });

  it('go back to the client’s former address once that is free, and free the other one', () => {
    const { engine, subnet } = setup();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    engine.confirm(subnet, client(MAC_2), n('10.0.0.101'), 'selecting');
    engine.release(subnet, MAC_1, n('10.0.0.100'));
    engine.release(subnet, MAC_2, n('10.0.0.101'));
    const third = '52:54:00:00:01:03';
    expect(engine.offer(subnet, client(third), n('10.0.0.100'))).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: n('10.0.0.101') });
    engine.withdraw(subnet, third);
    expect(engine.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.offer(subnet, client(third), undefined)).toEqual({ ok: true, address: n('10.0.0.101') });
  });

  it('go to the reserved NIC only', () => {
    const { engine, subnet } = setup('10.0.0.100-10.0.0.101', [{ mac: MAC_1, address: '10.0.0.100' }]);
    expect(engine.offer(subnet, client(MAC_2), n('10.0.0.100'))).toEqual({ ok: true, address: n('10.0.0.101') });
    expect(engine.offer(subnet, client(MAC_1), n('10.0.0.101'))).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.confirm(subnet, client(MAC_2), n('10.0.0.100'), 'selecting')).toEqual({
      kind: 'nak',
      reason: 'address-not-served',
    });
  });

  it('of a reservation that somebody leased before are of the pool, until that one is gone', async () => {
    const { engine, clock, subnet, store } = setup('10.0.0.100-10.0.0.101', [{ mac: MAC_1, address: '10.0.0.100' }]);
    const pooled = n('10.0.0.101');
    const reserved = n('10.0.0.100');
    expect(engine.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: reserved });
    // As a former configuration left it.
    store.put({
      address: reserved,
      mac: MAC_2,
      uuid: undefined,
      state: 'bound',
      expiresAt: clock.now() + 1_000,
    });
    const after = createLeaseEngine({ clock, store, subnets: [subnet] });
    expect(after.offer(subnet, client(MAC_1), reserved)).toEqual({ ok: true, address: pooled });
    expect(after.isUnproven(subnet, MAC_1, pooled)).toBe(true);
    expect(after.confirm(subnet, client(MAC_1), pooled, 'selecting').kind).toBe('ack');
    expect(after.confirm(subnet, client(MAC_1), pooled, 'renewing').kind).toBe('ack');
    // Its former holder is to move on, whenever it asks.
    expect(after.confirm(subnet, client(MAC_2), reserved, 'renewing')).toMatchObject({ kind: 'nak' });
    await clock.advance(1_000);
    expect(after.confirm(subnet, client(MAC_1), pooled, 'renewing')).toMatchObject({ kind: 'nak' });
    expect(after.offer(subnet, client(MAC_1), pooled)).toEqual({ ok: true, address: reserved });
    expect(after.isUnproven(subnet, MAC_1, reserved)).toBe(false);
  });

  it('of a reservation where its NIC found another host: one of the pool, which it keeps until it starts anew', async () => {
    const { engine, clock, subnet } = setup('10.0.0.100-10.0.0.101', [{ mac: MAC_1, address: '10.0.0.50' }]);
    engine.confirm(subnet, client(MAC_1), n('10.0.0.50'), 'selecting');
    expect(engine.decline(subnet, MAC_1, n('10.0.0.50'))).toBe('declined');
    expect(engine.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting').kind).toBe('ack');
    await clock.advance(DECLINE_HOLD_MS);
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'renewing').kind).toBe('ack');
    expect(engine.offer(subnet, client(MAC_1), n('10.0.0.100'))).toEqual({ ok: true, address: n('10.0.0.50') });
  });

  it('are not of the address of a relay, which costs no machine the one that it has', async () => {
    const { engine, subnet, clock } = setup('10.0.0.100-10.0.0.102');
    engine.confirm(subnet, client(MAC_2), n('10.0.0.101'), 'selecting');
    for (const relay of ['10.0.0.100', '10.0.0.101']) engine.noteRelay(n(relay));
    expect(engine.offer(subnet, client(MAC_1), n('10.0.0.100'))).toEqual({ ok: true, address: n('10.0.0.102') });
    expect(engine.offer(subnet, client('52:54:00:00:01:03'), undefined).ok).toBe(false);
    expect(engine.offer(subnet, client(MAC_2), undefined)).toEqual({ ok: true, address: n('10.0.0.101') });
    const next = createLeaseEngine({ clock, store: NO_STORE, subnets: [subnet], memory: engine.memory() });
    expect(next.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: n('10.0.0.102') });
    await clock.advance(3_600_000);
    expect(engine.offer(subnet, client('52:54:00:00:01:03'), n('10.0.0.100'))).toEqual({
      ok: true,
      address: n('10.0.0.100'),
    });
  });

  it('of addresses that were invented as those of relays are made before long', () => {
    const { engine, subnet } = setup('10.0.0.100-10.0.0.199');
    for (let last = 100; last < 200; last += 1) engine.noteRelay(n(`10.0.0.${last}`));
    const given = Array.from({ length: 100 }, (_, index) => engine.offer(subnet, client(`mac ${index}`), undefined).ok);
    expect(given.filter(Boolean)).toHaveLength(36);
  });

  it('reuse the address whose holder is gone the longest', async () => {
    const { engine, subnet, clock } = setup();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.101'), 'selecting');
    await clock.advance(1_000);
    engine.confirm(subnet, client(MAC_2), n('10.0.0.100'), 'selecting');
    await clock.advance(601_000);
    expect(engine.offer(subnet, client('52:54:00:00:01:03'), undefined)).toEqual({
      ok: true,
      address: n('10.0.0.101'),
    });
  });
});

describe('requests', () => {
  it('are refused for an address in another network', () => {
    const { engine, subnet } = setup();
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.7.7'), 'init-reboot')).toEqual({
      kind: 'nak',
      reason: 'wrong-network',
    });
  });

  it('are refused for an address that another one has', () => {
    const { engine, subnet } = setup();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    expect(engine.confirm(subnet, client(MAC_2), n('10.0.0.100'), 'selecting')).toEqual({
      kind: 'nak',
      reason: 'address-of-another',
    });
    expect(engine.confirm(subnet, client(MAC_2), n('10.0.0.100'), 'renewing')).toEqual({
      kind: 'nak',
      reason: 'address-of-another',
    });
  });

  it('after a reboot are refused for an address that is not the client’s, so that it asks anew', () => {
    const { engine, subnet } = setup();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.101'), 'init-reboot')).toEqual({
      kind: 'nak',
      reason: 'address-not-served',
    });
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'init-reboot')).toEqual({
      kind: 'ack',
      address: n('10.0.0.100'),
    });
  });

  it('of a stranger for an address outside of the pool are left to the server that knows it', () => {
    const { engine, subnet } = setup();
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.50'), 'init-reboot')).toEqual({
      kind: 'silent',
      reason: 'unknown-lease',
    });
  });

  it('keep an address that a lost store does not know', () => {
    const { engine, subnet } = setup();
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.101'), 'renewing')).toEqual({
      kind: 'ack',
      address: n('10.0.0.101'),
    });
  });

  it('extend the lease', async () => {
    const { engine, subnet, clock } = setup();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    await clock.advance(590_000);
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'renewing');
    await clock.advance(20_000);
    expect(engine.confirm(subnet, client(MAC_2), n('10.0.0.100'), 'selecting').kind).toBe('nak');
    expect(engine.counts()).toEqual(new Map([['10.0.0.0/24', 1]]));
  });
});

describe('a clock that is put', () => {
  const YEAR_MS = 365 * 24 * 3_600_000;

  it('forward: who renews keeps its address, and nobody else gets it unasked', () => {
    const { engine, subnet, clock } = setup('10.0.0.100-10.0.0.100');
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    clock.stepWallClock(10 * YEAR_MS);
    expect(engine.offer(subnet, client(MAC_2), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
    // So the network is asked first, and its holder answers.
    expect(engine.isUnproven(subnet, MAC_2, n('10.0.0.100'))).toBe(true);
    engine.withdraw(subnet, MAC_2);
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'renewing').kind).toBe('ack');
    expect(engine.secondsLeft(n('10.0.0.100'))).toBe(600);
  });

  it('back: a lease that is renewed ends after its time, and a new one as well', () => {
    const { engine, subnet, clock } = setup();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    clock.stepWallClock(-10 * YEAR_MS);
    expect(engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'renewing').kind).toBe('ack');
    expect(engine.confirm(subnet, client(MAC_2), n('10.0.0.101'), 'selecting').kind).toBe('ack');
    for (const address of ['10.0.0.100', '10.0.0.101']) expect(engine.secondsLeft(n(address))).toBe(600);
  });
});

describe('leases', () => {
  it('are there after the process was killed', () => {
    const { engine, subnet, reopen } = setup();
    engine.confirm(subnet, client(MAC_1, UUID), n('10.0.0.101'), 'selecting');
    const after = reopen();
    expect(after.holderOf(n('10.0.0.101'))).toMatchObject({ mac: MAC_1, uuid: UUID, state: 'bound' });
    expect(after.offer(subnet, client(MAC_1), undefined)).toEqual({ ok: true, address: n('10.0.0.101') });
    expect(after.offer(subnet, client(MAC_2), n('10.0.0.101'))).toEqual({ ok: true, address: n('10.0.0.100') });
  });

  it('are one for each NIC and network: who takes another address gives its first one up, also over a restart', () => {
    const { engine, subnet, reopen } = setup();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    engine.confirm(subnet, client(MAC_1), n('10.0.0.101'), 'selecting');
    for (const each of [engine, reopen()]) {
      expect(each.holderOf(n('10.0.0.100'))).toBeUndefined();
      expect(each.leasesOf(MAC_1).map(({ address }) => address)).toEqual([n('10.0.0.101')]);
      expect(each.counts()).toEqual(new Map([['10.0.0.0/24', 1]]));
    }
    expect(engine.confirm(subnet, client(MAC_2), n('10.0.0.100'), 'selecting').kind).toBe('ack');
  });

  it('that end last are those that count where the disk has two of one NIC', () => {
    const { engine, subnet, reopen, store } = setup();
    const bound = { mac: MAC_1, uuid: undefined, state: 'bound' } as const;
    store.put({ ...bound, address: n('10.0.0.100'), expiresAt: 2_000_000_000_000 });
    store.put({ ...bound, address: n('10.0.0.101'), expiresAt: 1_999_999_999_999 });
    expect(engine.leasesOf(MAC_1)).toEqual([]);
    const after = reopen();
    expect(after.leasesOf(MAC_1).map(({ address }) => address)).toEqual([n('10.0.0.100')]);
    expect(after.offer(subnet, client(MAC_2), n('10.0.0.101'))).toEqual({ ok: true, address: n('10.0.0.101') });
  });

  it('prove an address to be the client’s for an hour after their end', async () => {
    const { engine, subnet, clock } = setup('10.0.0.100-10.0.0.101', [{ mac: MAC_2, address: '10.0.0.50' }]);
    const isUnproven = (mac: string): boolean => engine.isUnproven(subnet, mac, n('10.0.0.100'));
    expect(isUnproven(MAC_1)).toBe(true);
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    expect([isUnproven(MAC_1), isUnproven('52:54:00:00:01:03')]).toEqual([false, true]);
    // What is reserved is not of the pool.
    expect(engine.isUnproven(subnet, MAC_2, n('10.0.0.50'))).toBe(false);
    await clock.advance(600_000 + 3_600_000);
    expect(isUnproven(MAC_1)).toBe(false);
    await clock.advance(1);
    expect(isUnproven(MAC_1)).toBe(true);
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    engine.decline(subnet, MAC_1, n('10.0.0.100'));
    expect(isUnproven(MAC_1)).toBe(true);
  });

  it('say for how many whole seconds they run, until they end or are given back', async () => {
    const { engine, subnet, clock } = setup();
    expect(engine.secondsLeft(n('10.0.0.100'))).toBeUndefined();
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    expect(engine.secondsLeft(n('10.0.0.100'))).toBe(600);
    await clock.advance(1);
    expect(engine.secondsLeft(n('10.0.0.100'))).toBe(599);
    await clock.advance(599_999);
    expect(engine.secondsLeft(n('10.0.0.100'))).toBeUndefined();
    expect(engine.counts()).toEqual(new Map([['10.0.0.0/24', 0]]));
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'renewing');
    engine.release(subnet, MAC_1, n('10.0.0.100'));
    expect(engine.secondsLeft(n('10.0.0.100'))).toBeUndefined();
  });

  it('keep the UUID when the operating system, which shows none, renews them', () => {
    const { engine, subnet } = setup();
    engine.confirm(subnet, client(MAC_1, UUID), n('10.0.0.100'), 'selecting');
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'renewing');
    expect(engine.leasesOf(MAC_1).map(({ uuid }) => uuid)).toEqual([UUID]);
  });

  it('do not pass their UUID on to the next holder', async () => {
    const { engine, subnet, clock } = setup('10.0.0.100-10.0.0.100');
    engine.confirm(subnet, client(MAC_1, UUID), n('10.0.0.100'), 'selecting');
    await clock.advance(601_000);
    engine.confirm(subnet, client(MAC_2), n('10.0.0.100'), 'selecting');
    expect(engine.holderOf(n('10.0.0.100'))).toMatchObject({ mac: MAC_2, uuid: undefined });
    expect(engine.leasesOf(MAC_1)).toEqual([]);
  });

  it('end by release, and only by their holder’s', () => {
    const { engine, subnet } = setup('10.0.0.100-10.0.0.100');
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    expect(engine.release(subnet, MAC_2, n('10.0.0.100'))).toBe(false);
    expect(engine.release(subnet, MAC_1, n('10.0.0.100'))).toBe(true);
    expect(engine.offer(subnet, client(MAC_2), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
  });

  it('a declined address rests, also over a restart, and then comes back', async () => {
    const { engine, subnet, clock, reopen } = setup('10.0.0.100-10.0.0.100');
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    expect(engine.decline(subnet, MAC_2, n('10.0.0.100'))).toBe('not-its-address');
    expect(engine.decline(subnet, MAC_1, n('10.0.0.100'))).toBe('declined');
    const after = reopen();
    expect(after.offer(subnet, client(MAC_1), undefined).ok).toBe(false);
    expect(after.holderOf(n('10.0.0.100'))).toBeUndefined();
    await clock.advance(DECLINE_HOLD_MS);
    expect(after.offer(subnet, client(MAC_1), undefined).ok).toBe(true);
  });
});

test.each([
  ['10.0.0.7', '10.0.0.0/24'],
  ['10.0.0.200', '10.0.0.128/25'],
  ['10.0.9.1', '10.0.0.0/16'],
  ['10.1.0.1', undefined],
])('%s is of the smallest network that it is in: %s', (address, expected) => {
  const { subnet } = setup();
  const networks = ['10.0.0.0/16', '10.0.0.0/24', '10.0.0.128/25'].map((id): Subnet => {
    const network = parseNetwork(id);
    if (network === undefined) throw new Error(`${id} is no network`);
    return { ...subnet, id, network };
  });
  for (const subnets of [networks, networks.toReversed()]) expect(findSubnet(subnets, n(address))?.id).toBe(expected);
});

describe('a pool that is full', () => {
  const macOf = (index: number): string =>
    `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`;

  it('gives what is given back at once, and what ends within a tenth of a second', async () => {
    const { engine, subnet, clock } = setup('10.0.0.100-10.0.0.100');
    engine.confirm(subnet, client(MAC_1), n('10.0.0.100'), 'selecting');
    expect(engine.offer(subnet, client(MAC_2), undefined)).toMatchObject({ ok: false });
    engine.release(subnet, MAC_1, n('10.0.0.100'));
    expect(engine.offer(subnet, client(MAC_2), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
    engine.withdraw(subnet, MAC_2);
    expect(engine.offer(subnet, client(macOf(3)), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
    expect(engine.offer(subnet, client(MAC_2), undefined)).toMatchObject({ ok: false });
    await clock.advance(OFFER_HOLD_MS);
    expect(engine.offer(subnet, client(MAC_2), undefined)).toEqual({ ok: true, address: n('10.0.0.100') });
  });

  it('gives what was given up the longest ago, one after the other', async () => {
    const { engine, subnet, clock } = setup('10.0.0.100-10.0.0.109');
    const order = [3, 7, 0, 9, 1, 8, 2, 6, 4, 5];
    for (const index of order) engine.confirm(subnet, client(macOf(index)), n('10.0.0.100') + index, 'selecting');
    for (const index of order) {
      await clock.advance(1_000);
      engine.release(subnet, macOf(index), n('10.0.0.100') + index);
    }
    const given = order.map((_, index) => engine.offer(subnet, client(macOf(100 + index)), undefined));
    expect(given).toEqual(order.map((index) => ({ ok: true, address: n('10.0.0.100') + index })));
  });

  it('costs a client no search through all of it', () => {
    let looks = 0;
    const { find } = addressSearch({
      clock: new MockClock(),
      pool: { first: 1, last: 4_096 },
      isUsed: () => {
        looks += 1;
        return true;
      },
      isFree: () => false,
      expiryOf: () => undefined,
      former: () => [],
    });
    for (let index = 0; index < 1_000; index += 1) expect(find(macOf(index))).toBeUndefined();
    expect(looks).toBe(4_096);
  });
});
