import { array, assert, constant, integer, nat, oneof, property, tuple, type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DesiredNic } from '../src/api.ts';
import { type Plan, planCycle } from '../src/reconcile/plan.ts';
import { wishesOf } from '../src/reconcile/wishes.ts';
import { freshConfig, LEAF, machinePorts } from './sonic/leaf.ts';
import { carriedOut, configOf, type FlatRows } from './sonic/tables.ts';
import { differences } from './sonic/transitions.ts';

const MACHINES = machinePorts(6);
const FRESH: FlatRows = Object.fromEntries(
  freshConfig(MACHINES)
    .filter(([command]) => command === 'HSET')
    .map(([, key = '', ...fields]) => [
      key,
      Object.fromEntries(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : []))),
    ]),
);

function planFor(rows: FlatRows, nics: readonly DesiredNic[]): Plan {
  const wishes = wishesOf({
    desired: { nics },
    leaf: LEAF,
    portOf: (name) => (`PORT|${name}` in rows ? name : undefined),
    stickyAdmin: new Map(),
  });
  return planCycle({ config: configOf(rows), wishes, leaf: LEAF, hostname: 'leaf01', logLevel: 'info' });
}

/** The plan's writes: `bind Ethernet0: +VLAN_MEMBER|Vlan4000|Ethernet0`. */
function told(plan: Plan): readonly string[] {
  return plan.actions.flatMap(({ step, subject, changes }) =>
    changes.map(({ table, key, before, after }) => {
      const sign = before === undefined ? '+' : after === undefined ? '-' : '~';
      return `${step} ${subject}: ${sign}${table}|${key}`;
    }),
  );
}

const converged = (nics: readonly DesiredNic[], from: FlatRows = FRESH): FlatRows =>
  carriedOut(from, planFor(from, nics));
const without = (rows: FlatRows, ...keys: readonly string[]): FlatRows =>
  Object.fromEntries(Object.entries(rows).filter(([key]) => !keys.includes(key)));

const nicArbitrary = (name: string): Arbitrary<DesiredNic> =>
  oneof(
    constant({ name }),
    constant({ name, vrf: 'default' }),
    integer({ min: 100, max: 104 }).map((vni) => ({ name, vrf: `vrf${vni}` })),
  );
const nicsArbitrary = tuple(...MACHINES.map(nicArbitrary));

describe('any plan', () => {
  test('reaches what is wanted, and is followed by one that changes nothing', () => {
    assert(
      property(array(nicsArbitrary, { minLength: 1, maxLength: 5 }), (states) => {
        let rows = FRESH;
        for (const nics of states) {
          const plan = planFor(rows, nics);
          expect(plan.problems).toEqual([]);
          rows = carriedOut(rows, plan);
          expect(differences(new Map(Object.entries(rows)), { nics })).toEqual([]);
          expect(told(planFor(rows, nics))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('may be cut off after any step, for any other wish: the next plan starts from there', () => {
    assert(
      property(array(tuple(nicsArbitrary, nat(40)), { minLength: 1, maxLength: 6 }), nicsArbitrary, (cut, last) => {
        let rows = FRESH;
        for (const [nics, steps] of cut) rows = carriedOut(rows, planFor(rows, nics), steps);
        rows = carriedOut(rows, planFor(rows, last));
        expect(differences(new Map(Object.entries(rows)), { nics: last })).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('has every action behind those that it has to follow, and FRR last', () => {
    assert(
      property(nicsArbitrary, nicsArbitrary, (before, nics) => {
        const { actions } = planFor(converged(before), nics);
        actions.forEach(({ after }, index) => expect(after.every((earlier) => earlier < index)).toBe(true));
        expect(actions.at(-1)?.step).toBe('configure');
      }),
      { numRuns: 100 },
    );
  });
});

test('one port from the PXE network to a tenant, to a firewall and back', () => {
  const rest = MACHINES.slice(1).map((name) => ({ name }));
  const steps = (from: FlatRows, nic: DesiredNic): readonly [FlatRows, readonly string[]] => {
    const plan = planFor(from, [nic, ...rest]);
    return [carriedOut(from, plan), told(plan)];
  };
  const pxe = converged(MACHINES.map((name) => ({ name })));
  const [tenant, toTenant] = steps(pxe, { name: 'Ethernet0', vrf: 'vrf104001' });
  expect(toTenant).toEqual([
    'release Ethernet0: -VLAN_MEMBER|Vlan4000|Ethernet0',
    'create Vrf104001: +VRF|Vrf104001',
    'create Vrf104001: +VLAN|Vlan1001',
    'create Vrf104001: +SUPPRESS_VLAN_NEIGH|Vlan1001',
    'create Vrf104001: +VLAN_INTERFACE|Vlan1001',
    'create Vrf104001: +VXLAN_TUNNEL_MAP|vtep|map_104001_Vlan1001',
    'bind Ethernet0: +INTERFACE|Ethernet0',
  ]);
  const [firewall, toFirewall] = steps(tenant, { name: 'Ethernet0', vrf: 'default' });
  expect(toFirewall).toEqual([
    'release Ethernet0: -INTERFACE|Ethernet0',
    'bind Ethernet0: ~PORT|Ethernet0',
    'bind Ethernet0: +INTERFACE|Ethernet0',
    'unmap Vrf104001: -VXLAN_TUNNEL_MAP|vtep|map_104001_Vlan1001',
    'unmap Vrf104001: -VLAN_INTERFACE|Vlan1001',
    'remove-vlan Vrf104001: -SUPPRESS_VLAN_NEIGH|Vlan1001',
    'remove-vlan Vrf104001: -VLAN|Vlan1001',
    'remove-vrf Vrf104001: -VRF|Vrf104001',
  ]);
  const back = planFor(firewall, [{ name: 'Ethernet0' }, ...rest]);
  expect(back.actions.map(({ step }) => step)).toEqual(['withdraw', 'release', 'bind', 'configure']);
  expect(carriedOut(firewall, back)).toEqual(pxe);
});

test('a port that goes down or up changes its status and nothing else', () => {
  const rows = converged([{ name: 'Ethernet0', vrf: 'vrf100' }]);
  const plan = planFor(rows, [{ name: 'Ethernet0', vrf: 'vrf100', state: 'down' }]);
  expect(told(plan)).toEqual(['tune Ethernet0: ~PORT|Ethernet0']);
  expect(carriedOut(rows, plan)['PORT|Ethernet0']).toMatchObject({ admin_status: 'down', mtu: '9000', alias: 'Eth0' });
});

describe('what is not ours', () => {
  const problemsOf = (rows: FlatRows, nics: readonly DesiredNic[]): readonly string[] =>
    planFor(rows, nics).problems.map(({ subject, reason }) => `${subject}: ${reason}`);

  test.each<readonly [string, FlatRows, DesiredNic, RegExp]>([
    [
      'a foreign VRF of the port',
      { 'INTERFACE|Ethernet0': { vrf_name: 'VrfInternet' } },
      { name: 'Ethernet0' },
      /^Ethernet0: it is in VrfInternet, which is not this agent's/,
    ],
    [
      'a tenant VRF on a foreign VLAN',
      { 'INTERFACE|Ethernet0': { vrf_name: 'Vrf500' } },
      { name: 'Ethernet0' },
      /^Ethernet0: it is in Vrf500, which is not/,
    ],
    [
      'a VNI on a foreign VLAN',
      {},
      { name: 'Ethernet0', vrf: 'vrf500' },
      /^Vrf500: .*maps its VNI to Vlan500, which is outside 1001 to 2000.*\(Ethernet0\)/,
    ],
    [
      'a VRF with another VNI',
      { 'VRF|Vrf100': { vni: '777' } },
      { name: 'Ethernet0', vrf: 'vrf100' },
      /^Vrf100: VRF\|Vrf100 has the VNI 777, so it is not/,
    ],
    [
      'a foreign VRF with the VNI',
      { 'VRF|VrfRed': { vni: '100' } },
      { name: 'Ethernet0', vrf: 'vrf100' },
      /^Vrf100: VRF\|VrfRed has its VNI 100; remove it/,
    ],
    [
      'an address of the port',
      { 'INTERFACE|Ethernet0': { NULL: 'NULL' }, 'INTERFACE|Ethernet0|192.0.2.9/31': { NULL: 'NULL' } },
      { name: 'Ethernet0' },
      /^Ethernet0: it has an address of its own, INTERFACE\|Ethernet0\|192\.0\.2\.9\/31/,
    ],
    [
      'an address of the port whose interface is gone',
      { 'INTERFACE|Ethernet0|192.0.2.9/31': { NULL: 'NULL' } },
      { name: 'Ethernet0' },
      /^Ethernet0: it has an address of its own, INTERFACE\|Ethernet0\|192\.0\.2\.9\/31/,
    ],
    [
      'another VLAN of the port',
      { 'VLAN_MEMBER|Vlan7|Ethernet0': { tagging_mode: 'tagged' } },
      { name: 'Ethernet0' },
      /^Ethernet0: VLAN_MEMBER\|Vlan7\|Ethernet0 holds it/,
    ],
    [
      'a port channel',
      { 'PORTCHANNEL_MEMBER|PortChannel1|Ethernet0': { NULL: 'NULL' } },
      { name: 'Ethernet0' },
      /^Ethernet0: PORTCHANNEL_MEMBER\|PortChannel1\|Ethernet0 holds it/,
    ],
    [
      'an unknown VRF of the API',
      {},
      { name: 'Ethernet0', vrf: 'blue' },
      /^Ethernet0: the API wants it in the VRF "blue"/,
    ],
    [
      'a VNI that VXLAN does not have',
      {},
      { name: 'Ethernet0', vrf: 'vrf16777216' },
      /^Ethernet0: the API wants it in the VRF "vrf16777216"/,
    ],
    ['a port that the switch has not', {}, { name: 'Ethernet9' }, /^Ethernet9: CONFIG_DB has no PORT row/],
    [
      'an uplink in a tenant VRF',
      { 'INTERFACE|Ethernet120': { vrf_name: 'Vrf100' } },
      { name: 'Ethernet0' },
      /^Ethernet120: it is an uplink, but/,
    ],
  ])('%s is left alone and said; the other ports go on', (_name, rows, nic, message) => {
    const before = { ...FRESH, ...rows };
    const nics = [nic, { name: 'Ethernet1', vrf: 'vrf101' }];
    const plan = planFor(before, nics);
    expect(problemsOf(before, nics)).toEqual([expect.stringMatching(message)]);
    const after = carriedOut(before, plan);
    expect(after['INTERFACE|Ethernet1']).toMatchObject({ vrf_name: 'Vrf101' });
    for (const key of Object.keys(rows)) expect(after[key]).toEqual(rows[key]);
    const subject = plan.problems[0]?.subject ?? '';
    expect(told(plan).filter((line) => line.includes(` ${subject}:`))).toEqual([]);
  });

  test('a VRF that nobody wants stays while somebody else is in it', () => {
    const nics = [{ name: 'Ethernet0', vrf: 'vrf100' }];
    for (const key of ['LOOPBACK_INTERFACE|Loopback5', 'INTERFACE|Ethernet60']) {
      const rows = { ...converged(nics), [key]: { vrf_name: 'Vrf100' } };
      const plan = planFor(rows, [{ name: 'Ethernet0' }]);
      expect(plan.problems).toEqual([{ subject: 'Vrf100', reason: expect.stringContaining(`${key} is in it`) }]);
      const kept = Object.keys(rows).filter((each) => /Vrf100|Vlan1001/.test(each));
      expect(kept).toHaveLength(5);
      for (const each of kept) expect(carriedOut(rows, plan)[each]).toEqual(rows[each]);
    }
  });

  test("a VLAN of the pool with somebody else's member stays, and so does its VRF", () => {
    const rows = {
      ...converged([{ name: 'Ethernet0', vrf: 'vrf100' }]),
      'VLAN_MEMBER|Vlan1001|Ethernet64': { tagging_mode: 'tagged' },
    };
    const plan = planFor(rows, [{ name: 'Ethernet0' }]);
    expect(plan.problems).toEqual([
      { subject: 'Vrf100', reason: expect.stringContaining('VLAN_MEMBER|Vlan1001|Ethernet64') },
    ]);
    expect(carriedOut(rows, plan)).toMatchObject({ 'VLAN|Vlan1001': {}, 'VRF|Vrf100': {} });
  });

  test('what a port of ours has besides stays with it', () => {
    const rows = { ...converged([{ name: 'Ethernet0', vrf: 'default' }]) };
    const marked = { ...rows, 'INTERFACE|Ethernet0': { ...rows['INTERFACE|Ethernet0'], mpls: 'enable' } };
    expect(told(planFor(marked, [{ name: 'Ethernet0', vrf: 'default' }]))).toEqual([]);
    const addressed = { ...rows, 'INTERFACE|Ethernet0|192.0.2.9/31': { NULL: 'NULL' } };
    const plan = planFor(addressed, [{ name: 'Ethernet0', vrf: 'default' }]);
    expect([told(plan), plan.problems]).toEqual([[], []]);
  });
});

describe('VLANs', () => {
  const nics = [100, 101, 102].map((vni, at) => ({ name: `Ethernet${at}`, vrf: `vrf${vni}` }));
  const vlanOf = (rows: FlatRows, vni: number): string | undefined =>
    Object.entries(rows).find(([key]) => key.startsWith(`VXLAN_TUNNEL_MAP|vtep|map_${vni}_`))?.[1]['vlan'];

  test('are the lowest free ones, in the order of the VNIs, whatever the order of the ports', () => {
    const rows = converged(nics.toReversed());
    // 1003 is the operator's.
    expect([100, 101, 102].map((vni) => vlanOf(rows, vni))).toEqual(['Vlan1001', 'Vlan1002', 'Vlan1004']);
  });

  test('stay with their VNIs', () => {
    const rows = converged(nics.slice(1), converged(nics));
    expect([101, 102].map((vni) => vlanOf(rows, vni))).toEqual(['Vlan1002', 'Vlan1004']);
  });

  test('that an agent has taken before it was killed are found again by what is there', () => {
    const rows = converged(nics);
    const svi = 'VLAN_INTERFACE|Vlan1004';
    const map = 'VXLAN_TUNNEL_MAP|vtep|map_102_Vlan1004';
    for (const lost of [[svi], [map], [map, 'SUPPRESS_VLAN_NEIGH|Vlan1004'], ['VLAN|Vlan1004', svi]]) {
      const found = without(without(rows, ...lost), 'VLAN|Vlan1002', 'VRF|Vrf101');
      const plan = planFor(found, nics);
      expect(plan.problems).toEqual([]);
      expect(carriedOut(found, plan)).toEqual(rows);
    }
  });

  test('that are somebody else’s, by their routed interface, refuse the tenant and stay', () => {
    const taken = { ...converged(nics), 'VLAN_INTERFACE|Vlan1004': { vrf_name: 'VrfInternet' } };
    const plan = planFor(taken, nics);
    expect(plan.problems).toEqual([
      {
        subject: 'Vrf102',
        reason: expect.stringMatching(/^VLAN_INTERFACE\|Vlan1004 is in VrfInternet, but its VLAN carries the VNI 102/),
      },
    ]);
    expect(carriedOut(taken, plan)).toEqual(taken);
  });

  test('without their VRF go, and those of a VRF that is refused stay', () => {
    const leftOver = without(converged(nics), 'VRF|Vrf102');
    const gone = carriedOut(leftOver, planFor(leftOver, nics.slice(0, 2)));
    expect(Object.keys(gone).filter((key) => /Vlan1004|102/.test(key))).toEqual([]);
    const refused = { ...converged(nics), 'VRF|Vrf102': { vni: '777' } };
    const plan = planFor(refused, nics);
    expect(plan.problems.map(({ subject }) => subject)).toEqual(['Vrf102']);
    expect(told(plan)).toEqual([]);
  });

  test('of tunnel maps that make no sense are not taken, and the maps stay', () => {
    const odd = {
      'VXLAN_TUNNEL_MAP|vtep|map_a': { vlan: 'Vlan1001', vni: 'all' },
      'VXLAN_TUNNEL_MAP|vtep|map_b': { vlan: 'vlan 1002', vni: '100' },
      'VXLAN_TUNNEL_MAP|vtep|map_c': { NULL: 'NULL' },
    };
    const rows = converged(nics, { ...FRESH, ...odd });
    expect([100, 101, 102].map((vni) => vlanOf(rows, vni))).toEqual(['Vlan1002', 'Vlan1004', 'Vlan1005']);
    expect(rows).toMatchObject(odd);
  });

  test('that a tunnel map of another name has for a VNI are the VNI’s', () => {
    const { 'VXLAN_TUNNEL_MAP|vtep|map_101_Vlan1002': map = {}, ...rest } = converged(nics);
    const renamed = { ...rest, 'VXLAN_TUNNEL_MAP|vtep|map7': map };
    expect(told(planFor(renamed, nics))).toEqual([]);
    // Its own name on another VLAN is none of its.
    const moved = { ...rest, 'VXLAN_TUNNEL_MAP|vtep|map7': { vlan: 'Vlan1004', vni: '101' } };
    expect(planFor(moved, nics).problems.map(({ subject }) => subject)).toContain('Vrf101');
  });

  test('are not taken and given back in one plan', () => {
    const rows = converged(nics.slice(0, 1));
    const plan = planFor(rows, [{ name: 'Ethernet0', vrf: 'vrf200' }]);
    const created = plan.actions.filter(({ step }) => step === 'create').map(({ vlan }) => vlan);
    const removed = plan.actions.filter(({ step }) => step === 'remove-vlan').map(({ vlan }) => vlan);
    expect([created, removed]).toEqual([[1002], [1001]]);
  });

  test.each([
    ['without a VTEP', without(FRESH, 'VXLAN_TUNNEL|vtep'), /no VXLAN_TUNNEL row/],
    ['with two', { ...FRESH, 'VXLAN_TUNNEL|other': { src_ip: '10.0.0.12' } }, /2 VXLAN_TUNNEL rows \(vtep, other\)/],
  ])('%s, none is taken in any number of cycles, and the tenants are refused', (_name, start, message) => {
    let rows: FlatRows = start;
    for (let cycle = 0; cycle < 5; cycle += 1) {
      const plan = planFor(rows, nics);
      expect(plan.problems.map(({ reason }) => reason)).toEqual(nics.map(() => expect.stringMatching(message)));
      expect(plan.model.vrfs).toEqual([]);
      rows = carriedOut(rows, plan);
    }
    expect(Object.keys(rows).filter((key) => /^VLAN\|Vlan1\d\d\d$/.test(key))).toEqual(['VLAN|Vlan1003']);
  });

  test('of tenants that are there go on when the VTEP is missing for a while', () => {
    const rows = without(converged(nics), 'VXLAN_TUNNEL|vtep');
    const plan = planFor(rows, nics);
    expect(told(plan)).toEqual([]);
    expect(plan.model.vrfs.map(({ name, vlan }) => [name, vlan])).toEqual([
      ['Vrf100', 1001],
      ['Vrf101', 1002],
      ['Vrf102', 1004],
    ]);
  });

  test('that run out refuse the tenant, and name the pool', () => {
    const full: Record<string, Readonly<Record<string, string>>> = { ...FRESH };
    for (let id = 1001; id <= 2000; id += 1) full[`VLAN|Vlan${id}`] = { vlanid: String(id) };
    expect(planFor(full, nics).problems[0]).toEqual({
      subject: 'Vrf100',
      reason: expect.stringContaining('all VLANs of 1001 to 2000 are in use'),
    });
  });
});

test('without the PXE VLAN no port is put anywhere, and that is said once', () => {
  const plan = planFor(
    without(FRESH, 'VLAN|Vlan4000'),
    MACHINES.map((name) => ({ name })),
  );
  expect(plan.problems).toEqual([{ subject: 'Vlan4000', reason: expect.stringContaining('config vlan add 4000') }]);
  expect(told(plan).filter((line) => line.includes('VLAN_MEMBER'))).toEqual([]);
});
