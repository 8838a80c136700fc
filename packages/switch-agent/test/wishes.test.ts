import { describe, expect, test } from 'vitest';
import type { DesiredNic } from '../src/api.ts';
import { switchAgentConfig } from '../src/config.ts';
import { leafConfigOf } from '../src/config/fabric.ts';
import { type AdminStatus, type Wishes, wishesOf } from '../src/reconcile/wishes.ts';
import { LEAF } from './sonic/leaf.ts';

function wishes(nics: readonly DesiredNic[], stickyAdmin: ReadonlyMap<string, AdminStatus> = new Map()): Wishes {
  return wishesOf({
    desired: { nics },
    leaf: LEAF,
    portOf: (name) => (name === 'gone' ? undefined : name),
    stickyAdmin,
  });
}

describe('what the API wants', () => {
  test('puts each port in one role, in natural order, whatever the order of the nics', () => {
    const filter = { cidrs: ['10.1.0.0/16'], vnis: [] };
    const found = wishes([
      { name: 'Ethernet10', vrf: 'vrf20', filter },
      { name: 'Ethernet2', vrf: 'vrf20', filter },
      { name: 'Ethernet1', vrf: '' },
      { name: 'Ethernet120', vrf: 'vrf7' },
      { name: 'Ethernet60', vrf: 'vrf7', state: 'down' },
      {
        name: 'Ethernet3',
        vrf: 'default',
        filter: { cidrs: ['10.0.0.7/32', '2001:db8::7/128'], vnis: ['30', '4', '30'] },
      },
      { name: 'Ethernet4', vrf: 'vrf3' },
    ]);
    expect(found).toEqual({
      uplinks: ['Ethernet120', 'Ethernet124'],
      unprovisioned: ['Ethernet1'],
      firewalls: [{ port: 'Ethernet3', cidrs: ['10.0.0.7/32', '2001:db8::7/128'], vnis: [4, 30] }],
      tenants: [
        { name: 'Vrf3', vni: 3, ports: ['Ethernet4'], cidrs: [] },
        { name: 'Vrf20', vni: 20, ports: ['Ethernet2', 'Ethernet10'], cidrs: ['10.1.0.0/16'] },
      ],
      admin: new Map([['Ethernet60', 'down']]),
      problems: [],
    });
  });

  test('allows what any machine of a VRF may announce, in the fewest prefixes', () => {
    const { tenants } = wishes([
      { name: 'Ethernet0', vrf: 'vrf5', filter: { cidrs: ['10.0.1.0/24', '10.0.0.0/24', 'fd00:1::/64'], vnis: [] } },
      { name: 'Ethernet1', vrf: 'vrf5', filter: { cidrs: ['10.0.2.0/23', '10.0.0.9/24', 'fd00::/16'], vnis: [] } },
    ]);
    expect(tenants[0]?.cidrs).toEqual(['10.0.0.0/22', 'fd00::/16']);
  });

  test('leaves out of a filter what is no prefix or no VNI, and says so of the port', () => {
    const { firewalls, problems } = wishes([
      {
        name: 'Ethernet0',
        vrf: 'default',
        filter: { cidrs: ['10.0.0.0/33', 'x', '10.0.0.1/32'], vnis: ['0', '16777216', '1e3', '7'] },
      },
    ]);
    expect(firewalls).toEqual([{ port: 'Ethernet0', cidrs: ['10.0.0.1/32'], vnis: [7] }]);
    expect(problems.map(({ subject, reason }) => `${subject}: ${reason}`)).toEqual([
      expect.stringContaining('Ethernet0: the API\'s filter has "10.0.0.0/33"'),
      expect.stringContaining('has "x"'),
      expect.stringContaining('the VNI "0"'),
      expect.stringContaining('the VNI "16777216"'),
      expect.stringContaining('the VNI "1e3"'),
    ]);
  });

  test.each(['Vrf7', 'vrf', 'vrf07', 'vrf-1', 'vrf16777216', 'vrf123456789', 'DEFAULT', 'vrf7 '])(
    'is a problem of the port when its VRF is %j',
    (vrf) => {
      const { tenants, firewalls, unprovisioned, problems } = wishes([
        { name: 'Ethernet0', vrf },
        { name: 'Ethernet1' },
      ]);
      expect([tenants, firewalls, unprovisioned]).toEqual([[], [], ['Ethernet1']]);
      expect(problems).toEqual([{ subject: 'Ethernet0', reason: expect.stringContaining(JSON.stringify(vrf)) }]);
    },
  );

  test('keeps an administrative status that was asked for, until another one is', () => {
    const sticky = new Map<string, AdminStatus>([
      ['Ethernet0', 'down'],
      ['Ethernet1', 'down'],
    ]);
    const { admin } = wishes(
      [{ name: 'Ethernet0' }, { name: 'Ethernet1', state: 'up' }, { name: 'Ethernet2' }],
      sticky,
    );
    expect([...admin]).toEqual([
      ['Ethernet0', 'down'],
      ['Ethernet1', 'up'],
    ]);
  });

  test('counts once for a port with two nics, and not for one that is not there', () => {
    const { unprovisioned, tenants, problems } = wishes([
      { name: 'Ethernet0' },
      { name: 'Ethernet0', vrf: 'vrf7' },
      { name: 'gone' },
    ]);
    expect([unprovisioned, tenants]).toEqual([['Ethernet0'], []]);
    expect(problems.map(({ subject }) => subject)).toEqual(['Ethernet0', 'gone']);
  });
});

describe('the configuration of the leaf', () => {
  const parse = (settings: Readonly<Record<string, unknown>>) => {
    const parsed = switchAgentConfig.parse({
      partition: 'lab',
      api: { url: 'https://10.0.0.1:9443', caFile: 'ca.pem', tokenFile: 'token' },
      ...settings,
    });
    if (!parsed.success) throw parsed.error;
    return leafConfigOf(parsed.data);
  };
  const fabric = { reconfigure: true, asn: 4_200_000_011, loopback: '10.0.0.11', uplinks: ['Ethernet120'] };

  test('needs nothing as long as nothing may be changed', () => {
    expect(parse({})).toBeUndefined();
  });

  test.each<readonly [Readonly<Record<string, unknown>>, RegExp]>([
    [{ reconfigure: true }, /reconfigure needs asn, loopback, uplinks; set what is missing/],
    [{ ...fabric, additionalBridgePorts: ['Ethernet120'] }, /Ethernet120 is in uplinks and in additionalBridgePorts/],
    [{ ...fabric, additionalManagementRoutes: ['10.0.0.0/8'] }, /need a managementGateway/],
    [{ ...fabric, managementGateway: '10.0.0.1', additionalManagementRoutes: ['fd00::/8'] }, /different families/],
    [{ ...fabric, pxeVlanId: 1500 }, /outside 1001 to 2000/],
  ])('%j is refused', (settings, message) => {
    expect(() => parse(settings)).toThrow(message);
  });

  test('gives the management routes, the default one first', () => {
    expect(
      parse({ ...fabric, managementGateway: '10.0.0.1', additionalManagementRoutes: ['10.9.9.9/8'] })?.managementRoutes,
    ).toEqual([
      { prefix: '0.0.0.0/0', gateway: '10.0.0.1' },
      { prefix: '10.0.0.0/8', gateway: '10.0.0.1' },
    ]);
  });
});
