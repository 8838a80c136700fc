import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MockClock } from '@ingot/net';
import { createLease6Engine, type Lease6Client, type Lease6Engine } from '../../src/dhcpv6/lease-engine.ts';
import { planDhcp6 } from '../../src/dhcpv6/plan.ts';
import { findSubnet6, type Subnet6 } from '../../src/dhcpv6/subnets.ts';
import { openDatabase } from '../../src/store/database.ts';
import { lease6Store, type Lease6 } from '../../src/store/leases6.ts';
import { serverDuid } from '../../src/store/server-duid.ts';
import { dhcp6Config, ip6, subnet6Config } from '../support/dhcp6-client.ts';
import { MAC_1 } from '../support/dhcp-messages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NO_WISH = { addresses: [], taken: new Set<never>() };

interface Setup {
  readonly clock: MockClock;
  readonly engine: Lease6Engine;
  readonly subnet: Subnet6;
  /** A second engine on a second connection to the same file, as after kill -9: nothing was closed. */
  reopen: (subnets?: readonly Subnet6[]) => Lease6Engine;
}

function setup(pool = '2001:db8:1::100-2001:db8:1::101'): Setup {
  const path = join(temporaryFolder(), 'leases.sqlite');
  const { subnets } = planDhcp6(dhcp6Config({ subnets: [subnet6Config({ pool })] }), []);
  const [subnet] = subnets;
  if (subnet === undefined) throw new Error('no subnet');
  const clock = new MockClock();
  const open = (now: readonly Subnet6[] = subnets): Lease6Engine =>
    createLease6Engine({ clock, subnets: now, store: lease6Store(openDatabase(path)) });
  return { clock, engine: open(), subnet, reopen: open };
}

/** The network of `setup` with one address and one reservation. */
function reserving(mac: string, address: string): readonly Subnet6[] {
  const subnet = subnet6Config({ pool: '2001:db8:1::100-2001:db8:1::100', reservations: [{ mac, address }] });
  return planDhcp6(dhcp6Config({ subnets: [subnet] }), []).subnets;
}

const client = (name: number, iaid = 1): Lease6Client => ({
  duid: `00:09:00:${name.toString(16).padStart(2, '0')}`,
  iaid,
  mac: undefined,
  uuid: undefined,
});

describe('the IPv6 lease engine', () => {
  it('proposes the same address again, and keeps nothing of a proposal', () => {
    const { engine, subnet } = setup('2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff');
    const first = engine.propose(subnet, client(1), NO_WISH);
    expect(first).toBeDefined();
    expect(engine.propose(subnet, client(1), NO_WISH)).toBe(first);
    expect(engine.counts().get(subnet.id)).toBe(0);
  });

  it('counts a lease for the smallest of the networks that it is in', () => {
    const { engine, subnet, reopen } = setup();
    const around = subnet6Config({ subnet: '2001:db8::/32', pool: '2001:db8:f::1-2001:db8:f::f' });
    const [outer] = planDhcp6(dhcp6Config({ subnets: [around] }), []).subnets;
    engine.lease(subnet, client(1), NO_WISH);
    const counts = reopen(outer === undefined ? [] : [outer, subnet]).counts();
    expect([...counts]).toEqual([
      ['2001:db8::/32', 0],
      ['2001:db8:1::/64', 1],
    ]);
  });

  it('gives every address of a pool once, then none, then those that have run out', async () => {
    const { engine, subnet, clock } = setup();
    const given = [1, 2].map((name) => engine.lease(subnet, client(name), NO_WISH));
    expect(new Set(given)).toEqual(new Set(['2001:db8:1::100', '2001:db8:1::101']));
    expect(engine.lease(subnet, client(3), NO_WISH)).toBeUndefined();
    await clock.advance(1_200_000);
    expect(engine.lease(subnet, client(3), NO_WISH)).toBeDefined();
  });

  it('honours a wish within the pool, and no other', () => {
    const { engine, subnet } = setup();
    const wish = (address: string) => ({ addresses: [ip6(address)], taken: new Set<never>() });
    expect(engine.lease(subnet, client(1), wish('2001:db8:1::101'))).toBe('2001:db8:1::101');
    expect(engine.lease(subnet, client(2), wish('2001:db8:1::5'))).toBe('2001:db8:1::100');
  });

  it('gives a client that makes up an IAID at each boot its oldest address again', async () => {
    const { engine, subnet, clock } = setup('2001:db8:1::100-2001:db8:1::1ff');
    const given: unknown[] = [];
    for (let boot = 0; boot < 17; boot += 1) {
      given.push(engine.lease(subnet, client(1, boot), NO_WISH));
      await clock.advance(1_000);
    }
    expect(new Set(given).size).toBe(16);
    expect(given[16]).toBe(given[0]);
  });

  it('gives no machine the address that runs on another one, however many share a DUID', () => {
    const { engine, subnet } = setup('2001:db8:1::100-2001:db8:1::1ff');
    const given = Array.from({ length: 40 }, (_, index) => {
      const mac = `52:54:00:00:02:${index.toString(16).padStart(2, '0')}`;
      return engine.lease(subnet, { ...client(1, index), mac }, NO_WISH);
    });
    expect(new Set(given).size).toBe(40);
    expect(given).not.toContain(undefined);
  });

  it('has an address for a client again that found sixteen in use, once these have rested', async () => {
    const { engine, subnet, clock } = setup('2001:db8:1::100-2001:db8:1::1ff');
    for (let declined = 0; declined < 16; declined += 1) {
      const address = engine.lease(subnet, client(1), NO_WISH);
      expect(address && engine.decline(subnet, client(1), address)).toBe(true);
    }
    expect(engine.lease(subnet, client(1), NO_WISH)).toBeUndefined();
    await clock.advance(600_000);
    expect(engine.lease(subnet, client(1), NO_WISH)).toBeDefined();
  });

  it('gives what is reserved since to its owner when who had it is gone, and one of the pool until then', async () => {
    const had = ip6('2001:db8:1::100');
    const { engine, subnet, clock, reopen } = setup();
    expect(engine.lease(subnet, client(2), { ...NO_WISH, addresses: [had] })).toBe(had);
    const [changed] = planDhcp6(
      dhcp6Config({
        subnets: [
          subnet6Config({
            pool: '2001:db8:1::100-2001:db8:1::101',
            reservations: [{ mac: MAC_1, address: '2001:db8:1::100' }],
          }),
        ],
      }),
      [],
    ).subnets;
    if (changed === undefined) throw new Error('no subnet');
    const after = reopen([changed]);
    const owner = { ...client(1), mac: MAC_1 };
    expect(after.lease(changed, owner, NO_WISH)).toBe('2001:db8:1::101');
    expect(after.holderOf(had)?.duid).toBe(client(2).duid);
    await clock.advance(1_200_000);
    expect(after.lease(changed, owner, NO_WISH)).toBe(had);
    // Its firmware, iPXE and system show a DUID each.
    expect(after.lease(changed, { ...client(3), mac: MAC_1 }, NO_WISH)).toBe(had);
  });

  it('remembers over kill -9, also what was declined', async () => {
    const { engine, subnet, clock, reopen } = setup();
    const address = engine.lease(subnet, { ...client(1), mac: MAC_1 }, NO_WISH);
    const other = engine.lease(subnet, client(2), NO_WISH);
    if (address === undefined || other === undefined) throw new Error('no lease');
    engine.decline(subnet, client(2), other);
    const again = reopen();
    expect(again.holderOf(address)).toMatchObject({ mac: MAC_1, duid: client(1).duid });
    expect(again.leasesOf(MAC_1).map((lease) => lease.address)).toEqual([address]);
    expect(again.lease(subnet, client(3), NO_WISH)).toBeUndefined();
    await clock.advance(600_000);
    expect(again.lease(subnet, client(3), NO_WISH)).toBe(other);
  });

  it('gives a client what is reserved for it since, and the address that it had to another one', () => {
    const { engine, subnet, reopen } = setup('2001:db8:1::100-2001:db8:1::100');
    const had = engine.lease(subnet, { ...client(1), mac: MAC_1 }, NO_WISH);
    const [changed] = reserving(MAC_1, '2001:db8:1::5');
    if (changed === undefined || had === undefined) throw new Error('no subnet');
    const after = reopen([changed]);
    expect(after.lease(changed, { ...client(1), mac: MAC_1 }, NO_WISH)).toBe('2001:db8:1::5');
    expect(after.holderOf(had)).toBeUndefined();
    expect(after.leasesOf(MAC_1).map(({ address }) => address)).toEqual(['2001:db8:1::5']);
    expect(reopen([changed]).holderOf(had)).toBeUndefined();
    expect(after.lease(changed, client(2), NO_WISH)).toBe(had);
  });

  it('has no address while its table is full of leases that run, and looks again after ten seconds', async () => {
    const { clock, subnet } = setup('2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff');
    const end = clock.now() + 5_000;
    const full = Array.from({ length: 65_536 }, (_, index): Lease6 => ({
      address: ip6(`2001:db8:1::1:${index.toString(16)}`),
      duid: `00:09:${index}`,
      iaid: 1,
      mac: undefined,
      uuid: undefined,
      state: 'bound',
      expiresAt: index === 0 ? end + 60_000 : end,
    }));
    const deleted = new Set<string>();
    const engine = createLease6Engine({
      clock,
      subnets: [subnet],
      store: {
        all: () => full,
        put: () => undefined,
        delete: (address) => void deleted.add(address),
        onRollback: () => undefined,
      },
    });
    expect(engine.lease(subnet, client(1), NO_WISH)).toBeUndefined();
    await clock.advance(9_999);
    expect(engine.lease(subnet, client(1), NO_WISH)).toBeUndefined();
    await clock.advance(1);
    expect(engine.lease(subnet, client(1), NO_WISH)).toBeDefined();
    expect(deleted.size).toBe(65_535);
    expect(deleted.has('2001:db8:1::1:0')).toBe(false);
    // What was forgotten is anybody's.
    const [, gone] = full;
    expect(gone === undefined ? undefined : engine.holderOf(gone.address)).toBeUndefined();
  });

  it('lets nobody release or decline what is another’s', () => {
    const { engine, subnet } = setup();
    const address = engine.lease(subnet, client(1), NO_WISH);
    if (address === undefined) throw new Error('no lease');
    expect(engine.release(subnet, client(2), address)).toBe(false);
    expect(engine.decline(subnet, client(1, 2), address)).toBe(false);
    expect(engine.release(subnet, client(1), address)).toBe(true);
    expect(engine.release(subnet, client(1), address)).toBe(false);
  });
});

it.each([
  ['2001:db8:1::7', '2001:db8:1::/64'],
  ['2001:db8:1:1::7', '2001:db8::/32'],
  ['2001:db9::7', undefined],
])('%s is of the smallest network that it is in: %s', (address, expected) => {
  const { subnet } = setup();
  const wide: Subnet6 = { ...subnet, id: '2001:db8::/32', network: { network: ip6('2001:db8::'), prefixLength: 32 } };
  for (const subnets of [
    [subnet, wide],
    [wide, subnet],
  ])
    expect(findSubnet6(subnets, ip6(address))?.id).toBe(expected);
});

it('the server’s DUID stays the one that was made first', () => {
  const path = join(temporaryFolder(), 'duid.sqlite');
  const first = serverDuid(openDatabase(path), () => new Uint8Array(16).fill(7));
  expect(first).toEqual(Uint8Array.of(0, 4, ...new Uint8Array(16).fill(7)));
  expect(serverDuid(openDatabase(path), () => new Uint8Array(16).fill(8))).toEqual(first);
});

describe('the DHCPv6 plan', () => {
  const v6 = [{ address: '::', port: 8080 }];
  it('makes URLs of the first address and the port of HTTP', () => {
    const { httpUrl: _, ...config } = dhcp6Config();
    expect(planDhcp6(config, v6)).toMatchObject({
      httpUrl: 'http://[2001:db8::1]:8080',
      tftpUrl: 'tftp://[2001:db8::1]',
    });
  });

  it.each<[string, Parameters<typeof dhcp6Config>[0], RegExp]>([
    ['HTTP on IPv4 only', { httpUrl: undefined }, /add an IPv6 address to http\.listen/],
    [
      'a pool outside of its network',
      { subnets: [subnet6Config({ pool: '2001:db8:2::1-2001:db8:2::9' })] },
      /is not in/,
    ],
    [
      'a pool with the anycast address',
      { subnets: [subnet6Config({ pool: '2001:db8:1::-2001:db8:1::9' })] },
      /anycast/,
    ],
    [
      'a pool where another server leases',
      { subnets: [subnet6Config({ mode: 'boot-only' })] },
      /another server leases/,
    ],
    ['nothing to lease', { subnets: [subnet6Config({ pool: undefined })] }, /add pool/],
    ['one network twice', { subnets: [subnet6Config(), subnet6Config()] }, /stands there twice/],
    [
      'a pool that reaches into another network',
      {
        subnets: [
          subnet6Config({ pool: '2001:db8:1::1000-2001:db8:1::1fff' }),
          subnet6Config({ subnet: '2001:db8:1::1800/117', pool: '2001:db8:1::1900-2001:db8:1::19ff' }),
        ],
      },
      /dhcp6\.subnets\[0\]\.pool: part of it is in 2001:db8:1::1800\/117/,
    ],
    [
      'a reservation in another network, whichever stands first',
      {
        subnets: [
          subnet6Config({ subnet: '2001:db8:1:0:8000::/65', pool: '2001:db8:1:0:8000::1-2001:db8:1:0:8000::9' }),
          subnet6Config({
            reservations: [{ mac: '52:54:00:00:00:01', address: '2001:db8:1:0:8000::77' }],
          }),
        ],
      },
      /dhcp6\.subnets\[1\]\.reservations: 2001:db8:1:0:8000::77 is in 2001:db8:1:0:8000::\/65: write it there/,
    ],
    [
      'two networks on one interface',
      {
        subnets: [
          subnet6Config({ interface: 'eth0' }),
          subnet6Config({ interface: 'eth0', subnet: '2001:db8:2::/64', pool: '2001:db8:2::1-2001:db8:2::9' }),
        ],
      },
      /two networks are on eth0/,
    ],
    ['a link-local address to listen on', { listen: ['fe80::1'] }, /good on one link only/],
    [
      'one address reserved twice',
      {
        subnets: [
          subnet6Config({
            reservations: [
              { mac: MAC_1, address: '2001:db8:1::5' },
              { duid: '00:03:00:01', address: '2001:db8:1::5' },
            ],
          }),
        ],
      },
      /2001:db8:1::5 stands there twice/,
    ],
  ])('%s is refused in words', (_what, change, words) => {
    expect(() => planDhcp6(dhcp6Config(change), [{ address: '10.0.0.1', port: 8080 }])).toThrow(words);
  });
});
