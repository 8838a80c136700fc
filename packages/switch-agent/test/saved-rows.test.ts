import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { DesiredSwitch } from '../src/api.ts';
import type { ConfigDb } from '../src/config-db/config-db.ts';
import { fromRedisFields, toRedisFields } from '../src/config-db/redis-rows.ts';
import { type Plan, planCycle, type PlanInput } from '../src/reconcile/plan.ts';
import { savedRows, type SavedRows } from '../src/reconcile/saved-rows.ts';
import { wishesOf } from '../src/reconcile/wishes.ts';
import { freshConfig, LEAF, machinePorts, randomDesired } from './sonic/leaf.ts';
import { carriedOut, configOf, type FlatRows } from './sonic/tables.ts';
import { seeded } from './sonic/transitions.ts';

const MACHINES = machinePorts(6);

type Admin = ReadonlyMap<string, 'up' | 'down'>;

function inputFor(desired: DesiredSwitch, stickyAdmin: Admin = new Map()): Omit<PlanInput, 'config'> {
  const wishes = wishesOf({ desired, leaf: LEAF, portOf: (name) => name, stickyAdmin });
  return { wishes, leaf: LEAF, hostname: 'leaf01', logLevel: 'info' };
}

function freshRows(): FlatRows {
  return Object.fromEntries(
    freshConfig(MACHINES)
      .filter(([command]) => command === 'HSET')
      .map(([, key = '', ...fields]) => {
        const row: Record<string, string> = {};
        for (let at = 0; at < fields.length; at += 2) row[fields[at] ?? ''] = fields[at + 1] ?? '';
        return [key, row];
      }),
  );
}

function configDbOf(rows: FlatRows): ConfigDb {
  const tables: Record<string, Record<string, ReturnType<typeof fromRedisFields>>> = {};
  for (const [name, fields] of Object.entries(rows)) {
    const end = name.indexOf('|');
    (tables[name.slice(0, end)] ??= {})[name.slice(end + 1)] = fromRedisFields(fields);
  }
  return tables;
}

function flat(configDb: ConfigDb): FlatRows {
  return Object.fromEntries(
    Object.entries(configDb).flatMap(([table, rows]) =>
      Object.entries(rows).map(([key, row]) => [`${table}|${key}`, toRedisFields(row)] as const),
    ),
  );
}

/** The rows once the switch has got there, and the plan that has nothing left to do. */
function reached(
  rows: FlatRows,
  desired: DesiredSwitch,
  admin?: Admin,
): { readonly rows: FlatRows; readonly plan: Plan } {
  let current = rows;
  for (let cycle = 0; cycle < 5; cycle += 1) {
    const plan = planCycle({ ...inputFor(desired, admin), config: configOf(current) });
    if (plan.actions.every(({ changes }) => changes.length === 0)) return { rows: current, plan };
    current = carriedOut(current, plan);
  }
  throw new Error('does not converge');
}

function save(saved: FlatRows, running: FlatRows, desired: DesiredSwitch, admin?: Admin): SavedRows {
  return savedRows(configDbOf(saved), reached(running, desired, admin).plan, inputFor(desired, admin));
}

test('a file that lags behind by any number of changes gets the rows of the switch, with the same VLANs', () => {
  const random = seeded(3);
  let running = freshRows();
  let saved = freshRows();
  let desired = randomDesired(MACHINES, random, { vrfs: 5 });
  const admin = new Map<string, 'up' | 'down'>();
  let moved = 0;
  for (let turn = 0; turn < 80; turn += 1) {
    for (let behind = Math.floor(random() * 4); behind >= 0; behind -= 1) {
      desired = randomDesired(MACHINES, random, { vrfs: 5, before: desired });
      for (const { name, state } of desired.nics) if (state !== undefined) admin.set(name, state);
      running = reached(running, desired, admin).rows;
    }
    const before = saved;
    const result = save(saved, running, desired, admin);
    saved = flat(result.configDb);
    expect(saved, `turn ${turn}`).toEqual(running);
    expect(result.problems).toEqual([]);
    expect(result.differs).toBe(!isDeepStrictEqual(before, saved));
    const maps = Object.keys(running).filter((key) => key.includes('|map_1'));
    if (maps.some((key) => Object.keys(before).some((old) => old.includes('|map_1') && isTaken(old, key)))) moved += 1;
    expect(save(saved, running, desired, admin).differs).toBe(false);
  }
  // The case that takes two steps: a VLAN of the file is another VRF's on the switch by now.
  expect(moved).toBeGreaterThan(5);
});

function isTaken(old: string, fresh: string): boolean {
  const [, oldVni, oldVlan] = /map_(\d+)_(Vlan\d+)/.exec(old) ?? [];
  const [, vni, vlan] = /map_(\d+)_(Vlan\d+)/.exec(fresh) ?? [];
  return oldVlan === vlan && oldVni !== vni;
}

test('what the operator has changed and not saved stays unsaved, and what is in the file alone stays there', () => {
  const desired: DesiredSwitch = { nics: [{ name: 'Ethernet0', vrf: 'vrf100', state: 'down' }, { name: 'Ethernet1' }] };
  const operators = {
    'VLAN|Vlan77': { vlanid: '77' },
    'VLAN|Vlan1004': { vlanid: '1004', description: 'cameras' },
    'VRF|VrfNew': { NULL: 'NULL' },
    'INTERFACE|Ethernet5|192.0.2.9/31': { NULL: 'NULL' },
  };
  const ntp = {
    'NTP_SERVER|10.0.0.1': { NULL: 'NULL' },
    'DHCP_RELAY|Vlan4000': { 'dhcpv6_servers@': 'fd00::1,fd00::2' },
  };
  const running = reached({ ...freshRows(), ...operators, 'PORT|Ethernet0': { lanes: '9', fec: 'rs' } }, desired).rows;
  const saved = { ...freshRows(), ...ntp };
  const result = flat(save(saved, running, desired).configDb);
  for (const key of Object.keys(operators)) expect(result).not.toHaveProperty([key]);
  expect(result).toMatchObject(ntp);
  expect(result['PORT|Ethernet0']).toEqual({ alias: 'Eth0', lanes: '1', mtu: '9000', admin_status: 'down' });
  expect(result['INTERFACE|Ethernet0']).toEqual({ ipv6_use_link_local_only: 'enable', vrf_name: 'Vrf100' });
  const [vlan] = Object.keys(result).filter((key) => key.startsWith('VXLAN_TUNNEL_MAP|vtep|map_100_'));
  expect(vlan).toBe('VXLAN_TUNNEL_MAP|vtep|map_100_Vlan1001');
});

test('what a boot would leave out, because the rows that it needs are not saved, is named', () => {
  const desired: DesiredSwitch = { nics: [{ name: 'Ethernet0', vrf: 'vrf100' }, { name: 'Ethernet1' }] };
  const running = freshRows();
  const { 'VXLAN_TUNNEL|vtep': _vtep, 'PORT|Ethernet1': _port, ...saved } = running;
  const result = save(saved, running, desired);
  expect(result.problems).toEqual([
    { subject: 'Vrf100', reason: expect.stringMatching(/^CONFIG_DB has no VXLAN_TUNNEL row/) },
    { subject: 'Ethernet1', reason: expect.stringMatching(/^CONFIG_DB has no PORT row for it/) },
  ]);
  expect(flat(result.configDb)).not.toHaveProperty(['PORT|Ethernet1']);
});

test('a port that somebody else has on the switch and in the file is left alone there too, and said once', () => {
  const desired: DesiredSwitch = { nics: [{ name: 'Ethernet0', vrf: 'vrf100' }] };
  const rows = { ...freshRows(), 'VLAN_MEMBER|Vlan1003|Ethernet0': { tagging_mode: 'tagged' } };
  const running = reached(rows, desired);
  expect(running.plan.problems).toHaveLength(1);
  const result = save(rows, running.rows, desired);
  expect(result.problems).toEqual([]);
  expect(flat(result.configDb)['VLAN_MEMBER|Vlan1003|Ethernet0']).toEqual({ tagging_mode: 'tagged' });
  expect(flat(result.configDb)).not.toHaveProperty(['INTERFACE|Ethernet0']);
});
