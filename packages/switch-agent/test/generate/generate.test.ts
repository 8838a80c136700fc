import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { toJSONSchema } from 'zod';
import { describe, expect, test } from 'vitest';
import type { ConfigDb } from '../../src/config-db/config-db.ts';
import { parseConfigDb } from '../../src/config-db/parse-config-db.ts';
import { printConfigDb } from '../../src/config-db/print-config-db.ts';
import { generateConfigDb } from '../../src/generate/generate.ts';
import { RETIRED_KEYS, sonicConfigSchema } from '../../src/generate/sonic-config-schema.ts';
import { distributionOf, type DistributionName } from '../../src/platform/distribution.ts';
import { testSwitch } from '../platforms/platforms.ts';
import { randomConfigs } from './random-config.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
}

const EXAMPLES = [
  'leaf-as7726',
  'mgmt-leaf-as4630',
  'spine-as9726',
  'leaf-ds5000',
  'leaf-s5248f',
  'leaf-z9332f',
  'leaf-as4625',
] as const;

const generated = (yaml: string, onSwitch = 'as7726', distribution?: DistributionName) => {
  const { target } = testSwitch(onSwitch);
  return generateConfigDb('c.yaml', yaml, {
    ...target,
    ...(distribution === undefined ? {} : { distribution: distributionOf(distribution) }),
  });
};
const tablesOf = (yaml: string, onSwitch?: string, distribution?: DistributionName): ConfigDb => {
  const result = generated(yaml, onSwitch, distribution);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.configDb;
};
const problemsOf = (yaml: string, onSwitch?: string, distribution?: DistributionName): readonly string[] => {
  const result = generated(yaml, onSwitch, distribution);
  return result.ok ? [] : result.problems;
};
const notesOf = (yaml: string, onSwitch?: string, distribution?: DistributionName): readonly string[] => {
  const result = generated(yaml, onSwitch, distribution);
  return result.ok ? result.notes : result.problems;
};

describe('the examples', () => {
  test.each(EXAMPLES)('%s comes out as its golden file', async (name) => {
    const yaml = readFileSync(new URL(`examples/${name}.yaml`, import.meta.url), 'utf8');
    const result = generated(yaml, name.split('-').at(-1));
    expect(result).toMatchObject({ ok: true, notes: [] });
    if (result.ok) await expect(printConfigDb(result.configDb)).toMatchFileSnapshot(`goldens/${name}.json`);
  });
});

/** `ports.list.mtu`, whatever the index or the name on the way there. */
function keysOf(value: unknown, path: readonly string[] = []): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysOf(item, path));
  if (typeof value !== 'object' || value === null) return [];
  const isNamed = path.length === 1 && ['breakouts', 'features', 'interconnects'].includes(path[0] ?? '');
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = isNamed ? [...path, '*'] : [...path, key];
    return [own.join('.'), ...keysOf(inner, own)];
  });
}

test('the examples have every key that there is, so that the golden files show what each makes', () => {
  const texts = EXAMPLES.map((name) => readFileSync(new URL(`examples/${name}.yaml`, import.meta.url), 'utf8'));
  const shown = new Set(texts.flatMap((text) => keysOf(parse(text))));
  const shape = (schema: JsonSchema, path: readonly string[] = []): readonly string[] => [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
      [...path, key].join('.'),
      ...shape(inner, [...path, key]),
    ]),
    ...(schema.items === undefined ? [] : shape(schema.items, path)),
    ...(typeof schema.additionalProperties === 'object' ? shape(schema.additionalProperties, [...path, '*']) : []),
  ];
  const known = shape(
    JSON.parse(JSON.stringify(toJSONSchema(sonicConfigSchema, { io: 'input', unrepresentable: 'any' }))),
  );
  expect(known.length).toBeGreaterThan(80);
  // What is for frr.conf, for older generators, or answered by a note has tests of its own below.
  const others = /^interconnects\.\*\.(?!vrf$|vni$|unnumbered_interfaces$)|^vlans\.vrrp\.priority$/;
  expect(known.filter((key) => !shown.has(key) && !others.test(key) && !Object.hasOwn(RETIRED_KEYS, key))).toEqual([]);
});

test('the one in docs/switch.md is taken', () => {
  const guide = readFileSync(new URL('../../../../docs/switch.md', import.meta.url), 'utf8');
  const [, yaml = ''] = /```yaml\n(hostname:[^`]*)```/.exec(guide) ?? [];
  expect(generated(yaml)).toMatchObject({ ok: true, notes: [] });
  expect(tablesOf(yaml)).toMatchObject({ VLAN_MEMBER: { 'Vlan4000|Ethernet3': { tagging_mode: 'untagged' } } });
});

describe('any valid configuration', () => {
  test('is taken, and comes out the same twice, in the form that is read back', () => {
    fc.assert(
      fc.property(randomConfigs(), ({ onSwitch, yaml }) => {
        const once = generateConfigDb('sonic-config.yaml', yaml, onSwitch.target);
        expect(once.ok ? [] : once.problems).toEqual([]);
        if (!once.ok) return;
        const text = printConfigDb(once.configDb);
        const twice = generateConfigDb('sonic-config.yaml', yaml, onSwitch.target);
        expect(twice.ok && printConfigDb(twice.configDb)).toBe(text);
        expect(parseConfigDb('config_db.json', text)).toMatchObject({ ok: true, value: once.configDb });
      }),
      { numRuns: 30 },
    );
  });

  test('that was cut short or spoiled is answered, never thrown at', () => {
    const spoiled = fc.tuple(randomConfigs([testSwitch('as4630')]), fc.nat(), fc.string(), fc.boolean());
    fc.assert(
      fc.property(spoiled, ([{ yaml }, at, text, isCut]) => {
        const place = at % yaml.length;
        const result = generated(yaml.slice(0, place) + text + (isCut ? '' : yaml.slice(place)), 'as4630');
        expect(result.ok || result.problems.every((problem) => /^c\.yaml(:\d+:\d+)?: /.test(problem))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('an existing sonic-config.yaml', () => {
  test('keeps the text of a number and of off', () => {
    const tables = tablesOf('portchannels: {list: [{number: 01}]}\nports: {default_autoneg: off}\n');
    expect(tables['PORTCHANNEL']).toHaveProperty('PortChannel01');
    expect(tables['PORT']?.['Ethernet0']).toMatchObject({ autoneg: 'off' });
  });

  test('as metal-roles renders it is taken, with what it says for frr.conf, and off as Ansible has it', () => {
    const rendered = [
      'bgp_ports: ["Ethernet112", "Ethernet116"]',
      'breakouts: {}',
      'docker_routing_config_mode: "split"',
      'features: {}',
      'frr_mgmt_framework_config: false',
      'interconnects: {"mpls": {"neighbor_ip": "10.0.0.3", "bgp_md5_password": "test", "remote_as": 65000, "vrf": "VrfMpls", "announcements": [], "routemap_in": {"name": "A", "entries": ["match x"]}}, "pxe": {"unnumbered_interfaces": ["Ethernet8"], "neighbors": ["Ethernet4 interface"]}, "default": {"routemaps": []}}',
      'hostname: "exit01"',
      'lldp_hello_time: 10',
      'loopback_address: "10.0.0.1"',
      'mclag: {}',
      'mgmt_interface: {"ip": null, "gateway_address": null}',
      'mgmt_vrf: false',
      'nameservers: []',
      'ntp: {"servers": [], "src_interface": null}',
      'portchannels: {"default_mtu": 9000, "list": []}',
      'ports: {"default_autoneg": false, "default_fec": "none", "default_mtu": 9000, "list": []}',
      'sag: {}',
      'ssh_sourceranges: ["1.2.3.4/32"]',
      'vlan_subinterfaces: [{"port": "Ethernet0", "cidr": "172.17.146.162/28", "vlan": 461, "vrf": "VrfInternet"}]',
      'vlans: [{"id": 4000, "vrf": "VrfMpls", "sag": null}]',
      'vtep: {"enabled": true}',
    ].join('\n');
    expect(notesOf(rendered)).toEqual([]);
    expect(tablesOf(rendered)).toMatchObject({
      INTERFACE: { Ethernet8: { ipv6_use_link_local_only: 'enable' } },
      PORT: { Ethernet0: { autoneg: 'off', fec: 'none' } },
      VRF: { VrfMpls: {}, VrfInternet: {} },
      VXLAN_TUNNEL: { vtep: { src_ip: '10.0.0.1' } },
    });
  });

  test('may leave anything empty', () => {
    expect(tablesOf('mclag: {}\nsag: {}\nfeatures:\nvlans: null\nvtep: ~\nports:\n  list:\n')).toMatchObject({
      MGMT_VRF_CONFIG: { vrf_global: { mgmtVrfEnabled: 'false' } },
      NTP: { global: { src_intf: 'eth0' } },
    });
    expect(tablesOf('')['DEVICE_METADATA']).toEqual({
      localhost: {
        hwsku: 'Accton-AS7726-32X',
        mac: '02:00:00:00:00:01',
        platform: 'x86_64-accton_as7726_32x-r0',
        type: 'LeafRouter',
        frr_mgmt_framework_config: 'false',
      },
    });
  });

  test.each([
    ['vlans: [{id: 10, ip: 10.9.7.0}]', 'VLAN_INTERFACE', 'Vlan10|10.9.7.0/32', 'vlans[0].ip: 10.9.7.0 has no mask'],
    ['mgmt_interface: {ip: 10.7.10.2, gateway_address: 10.7.10.1}', 'MGMT_INTERFACE', 'eth0|10.7.10.2/32', 'no mask'],
    ['ports: {list: [{name: Ethernet0, ips: ["fd00::1"]}]}', 'INTERFACE', 'Ethernet0|fd00::1/128', 'no mask'],
  ])('%s gets the mask that SONiC takes, and a note', (yaml, table, key, words) => {
    expect(tablesOf(yaml)[table]).toHaveProperty([key]);
    expect(notesOf(yaml)).toEqual([expect.stringContaining(words)]);
  });

  test.each([
    ['ntpservers: [a]', 'c.yaml:1:13: ntpservers: is of an older generator and not used: write ntp.servers'],
    ['vtep: {vxlan_tunnel_maps: [{vni: 5, vlan: Vlan5}]}\nvlans: [{id: 5}]', 'vtep.enabled is not true'],
    ['interconnects: {a: {vrf: VrfA, vni: 5}}', 'VNI 5 routes only with a VLAN of its own'],
    ['vlans: [{id: 5}]\nmclag: {keepalive_vlan: 5, system_mac: "02:00:00:00:00:aa"}', 'community-202511 has no field'],
    ['mgmt_interface: {ip: 10.1.0.1/24}', 'has no gateway_address'],
    ['sflow: {polling_interval: 2}', '5 is written'],
    ['hostname: leaf_01', 'which the metal-stack API takes in no name'],
    ['ntp: {src_interface: Vlan5}\nvlans: [{id: 5}]', 'is a VLAN, which SONiC’s model does not take'],
  ])('%s drops nothing without a note', (yaml, words) => {
    expect(notesOf(yaml)).toEqual([expect.stringContaining(words)]);
  });

  test('is told when lanes of PAM4 get another FEC than rs', () => {
    const yaml = 'ports: {list: [{name: Ethernet0, fec: none}]}';
    expect(notesOf(yaml, 'as9726')).toEqual([
      expect.stringContaining('lanes of 50G, whose links come up with rs only'),
    ]);
    expect(tablesOf(yaml, 'as9726')['PORT']?.['Ethernet0']).toMatchObject({ fec: 'none' });
  });
});

describe('what cannot be', () => {
  test.each<[yaml: string, words: string, distribution?: DistributionName]>([
    // The schema.
    ['hostnam: a', 'c.yaml:1:1: hostnam: unknown key; did you mean "hostname"?'],
    [
      'vlans:\n  - id: 5\n    taged_ports: []',
      'c.yaml:3:5: vlans[0].taged_ports: unknown key; did you mean "tagged_ports"?',
    ],
    ['vlans: [{id: 4095}]', 'c.yaml:1:14: vlans[0].id: write a whole number from 1 to 4094'],
    ['vlans: {id: 5}', 'vlans: write a list'],
    ['vlans: [{ip: 10.0.0.1/24}]', 'vlans[0].id: write a whole number from 1 to 4094'],
    ['loopback_address: 10.0.0.300', 'loopback_address: write an address'],
    ['loopback_address: 10.0.0.1/24', 'loopback_address: write 10.0.0.1 without a mask'],
    ['docker_routing_config_mode: splitted', 'write separated or unified or split or split-unified'],
    ['lldp_hello_time: 1', 'write a whole number from 5 to 254 seconds'],
    ['mgmt_vrf: maybe', 'mgmt_vrf: write true or false'],
    ['ports: {list: [{name: Ethernet0, fec: RS}]}', 'fec: write none or rs or fc or auto'],
    ['interconnects: {a: {vrff: VrfA}}', 'interconnects.a.vrff: unknown key; did you mean "vrf"?'],
    ['ports: {default_autoneg: auto}', 'ports.default_autoneg: write on or off'],
    ['hostname: a\nhostname: b', 'c.yaml:2:1: not YAML'],
    // Ports and breakouts.
    ['ports: {list: [{name: Ethernet1}]}', 'ports.list[0].name: there is no port Ethernet1; did you mean Ethernet0?'],
    [
      'ports: {list: [{name: Ethernet0}, {name: Ethernet0}]}',
      'ports.list[1].name: Ethernet0 stands in the list a second',
    ],
    [
      'ports: {list: [{name: Ethernet0, speed: 25000}]}',
      'Ethernet0 cannot have 25000 in its breakout mode; write 100000 or 40000',
    ],
    ['breakouts: {Ethernet0: 8x10G}', 'Ethernet0 has no mode 8x10G; write one of 1x100G[40G], 2x50G, 4x25G[10G]'],
    ['breakouts: {Ethernet0: lots}', '"lots" is no breakout mode'],
    ['breakouts: {Ethernet1: 2x50G}', 'there is no cage Ethernet1'],
    ['breakouts: {Ethernet0: 2x50G}\nbgp_ports: [Ethernet1]', '(after the breakouts)'],
    // References.
    ['bgp_ports: [PortChannel1]', 'bgp_ports[0]: there is no port channel PortChannel1, nor any other'],
    ['vlans: [{id: 5, tagged_ports: [Ethernet500]}]', 'vlans[0].tagged_ports[0]: there is no port Ethernet500'],
    ['portchannels: {list: [{number: 1, members: [eth0]}]}', 'portchannels.list[0].members[0]: there is no port eth0'],
    ['vtep: {enabled: true, vxlan_tunnel_maps: [{vni: 5, vlan: 5}]}\nloopback_address: 10.0.0.1', 'vlans has no Vlan5'],
    ['vtep: {enabled: true}', 'vtep.enabled: needs the address that tunnels start from; write loopback_address'],
    ['mclag: {peer_ip: 10.0.0.1}', 'mclag: has no keepalive_vlan'],
    ['mclag: {keepalive_vlan: 5}', 'mclag.keepalive_vlan: vlans has no VLAN 5'],
    ['ntp: {src_interface: Loopback0}', 'ntp.src_interface: there is no Loopback0'],
    ['ntp: {servers: [a..b]}', 'ntp.servers[0]: write a host name or an IP address'],
    ['ntp: {servers: [a.b-]}', 'ntp.servers[0]: write a host name or an IP address'],
    ['features: {"dhcp|relay": {}}', 'write the name of one of SONiC’s services'],
    ['vlans: [{id: 5, dhcp_servers: [10.0.0.1, 10.0.0.1]}]', 'dhcp_servers[1]: 10.0.0.1 stands in the list a second'],
    ['ntp: {vrf: mgmt}', 'ntp.vrf: the VRF mgmt is there with "mgmt_vrf: true" only'],
    ['interconnects: {a: {vni: 5}}', 'interconnects.a.vni: is of no VRF'],
    ['mgmt_interface: {gateway_address: 10.0.0.1}', 'is of no address'],
    ['mgmt_interface: {ip: 10.0.0.1/24, gateway_address: "fd00::1"}', 'are not of one kind'],
    [
      'sag: {mac: "02:00:00:00:00:01"}\nvlans: [{id: 5, sag: true}]',
      'edgecore-202111 has no static anycast',
      'edgecore-202111',
    ],
    ['vlans: [{id: 5, sag: true}]', 'vlans[0].sag: needs the MAC of the gateway; write sag.mac'],
    [
      'vlans: [{id: 5, sag: true}]',
      'vlans[0].sag: edgecore-202111 has no static anycast gateway; leave it out',
      'edgecore-202111',
    ],
    ['sflow: {sessions: [{interface: Ethernet500}]}', 'sflow.sessions[0].interface: there is no port Ethernet500'],
    ['sflow: {sessions: [{interface: all, sample_rate: 4096}]}', 'sample_rate: has to be set for each port'],
    ['vlans: [{id: 5, vrrp: {group: 1, ip: 10.0.0.1/24}}]', 'community-202511 has no VRRP_INTERFACE'],
    ['vlans: [{id: 1}]', 'community-202511 cannot have Vlan1; write 2 to 4094'],
    ['docker_routing_config_mode: split-unified', 'edgecore-202111 does not know split-unified', 'edgecore-202111'],
    ['vlans: [{id: 5, vrf: internet}]', 'SONiC takes no VRF "internet"; write Vrf and'],
    ['vlans: [{id: 5, vrf: default}]', '"default" is no VRF of its own; leave it out'],
    ['nameservers: [1.1.1.1, 1.0.0.1, 9.9.9.9, 8.8.8.8]', 'nameservers[3]: SONiC takes 3'],
    ['ssh_sourceranges: ["fd00::/8"]', 'write an IPv4 range'],
    // Twice.
    ['vlans: [{id: 5}, {id: 5}]', 'vlans[1].id: Vlan5 is defined a second time'],
    ['portchannels: {list: [{number: 1}, {number: 1}]}', 'PortChannel1 stands in the list a second time'],
    ['vlans: [{id: 5, tagged_ports: [Ethernet0, Ethernet0]}]', 'Ethernet0 is a member of Vlan5 already'],
    // Two masters.
    [
      'portchannels: {list: [{number: 1, members: [Ethernet0]}, {number: 2, members: [Ethernet0]}]}',
      'portchannels.list[1].members[0]: Ethernet0 is a member of PortChannel1 and can be nothing else',
    ],
    [
      'portchannels: {list: [{number: 1, members: [Ethernet0]}]}\nvlans: [{id: 5, tagged_ports: [Ethernet0]}]',
      'vlans[0].tagged_ports[0]: Ethernet0 is a member of PortChannel1',
    ],
    [
      'bgp_ports: [Ethernet0]\nvlans: [{id: 5, tagged_ports: [Ethernet0]}]',
      'Ethernet0 is a router port (bgp_ports[0])',
    ],
    [
      'vlans: [{id: 5, untagged_ports: [Ethernet0]}, {id: 6, untagged_ports: [Ethernet0]}]',
      'vlans[1].untagged_ports[0]: Ethernet0 is untagged in Vlan5 already',
    ],
    [
      'ports: {list: [{name: Ethernet0, vrf: VrfA}]}\ninterconnects: {b: {vrf: VrfB, unnumbered_interfaces: [Ethernet0]}}',
      'Ethernet0 is in VrfA already',
    ],
    // Addresses.
    ['vlans: [{id: 5, ip: 10.0.0.1/24}, {id: 6, ip: 10.0.0.1/24}]', '10.0.0.1/24 of Vlan6 is the address of Vlan5'],
    [
      'vlans: [{id: 5, ip: 10.0.0.1/16}, {id: 6, ip: 10.0.7.1/24}]',
      'vlans[1].ip: 10.0.7.1/24 of Vlan6 overlaps with 10.0.0.1/16 of Vlan5',
    ],
    ['loopback_address: 10.0.0.1\nvlans: [{id: 6, ip: 10.0.0.1/24}]', 'is the address of Loopback0 already'],
    [
      'mgmt_interface: {ip: "10.0.0.2/24", gateway_address: 10.0.0.3}\nvlans: [{id: 6, ip: 10.0.0.1/24}]',
      'overlaps with',
    ],
    // VNIs.
    [
      'vlans: [{id: 5}, {id: 6}]\nvtep: {vxlan_tunnel_maps: [{vni: 9, vlan: Vlan5}, {vni: 9, vlan: Vlan6}]}',
      'vtep.vxlan_tunnel_maps[1].vni: VNI 9 is that of Vlan5 already',
    ],
    [
      'vlans: [{id: 5}]\nvtep: {vxlan_tunnel_maps: [{vni: 8, vlan: Vlan5}, {vni: 9, vlan: Vlan5}]}',
      'vtep.vxlan_tunnel_maps[1].vlan: Vlan5 has VNI 8 already',
    ],
    ['interconnects: {a: {vrf: VrfA, vni: 9}, b: {vrf: VrfB, vni: 9}}', 'interconnects.b.vni: VNI 9 is that of VrfA'],
  ])('%s is refused', (yaml, words, distribution) => {
    const problems = problemsOf(yaml, 'as7726', distribution);
    expect(problems).toEqual(expect.arrayContaining([expect.stringContaining(words)]));
    for (const problem of problems) expect(problem).toMatch(/^c\.yaml:\d+:\d+: /);
  });

  test('names every problem of a file at once', () => {
    expect(problemsOf('vlans: [{id: 5, vrf: x}, {id: 5, tagged_ports: [Ethernet1]}]')).toHaveLength(3);
  });
});

test('an address or a VRF of a port makes it a routed one, each by itself', () => {
  const { INTERFACE: rows } = tablesOf(
    'ports: {list: [{name: Ethernet0, ips: [10.0.0.0/31]}, {name: Ethernet4, vrf: VrfA}, {name: Ethernet8, mtu: 9100}]}',
  );
  expect(rows).toEqual({ Ethernet0: {}, 'Ethernet0|10.0.0.0/31': {}, Ethernet4: { vrf_name: 'VrfA' } });
});

test('sFlow of all ports is taken', () => {
  const { SFLOW_SESSION: rows } = tablesOf('sflow: {enabled: true, sessions: [{interface: all, enabled: false}]}');
  expect(rows).toEqual({ all: { admin_state: 'down' } });
});

describe('a distribution', () => {
  const COMMUNITY = ['LLDP.GLOBAL.hello_time', 'subport', 'fec by speed'];
  const EDGECORE = ['mix_speed', 'mclag_system_id'];
  test.each<readonly [DistributionName, readonly string[]]>([
    ['community-202311', COMMUNITY],
    ['community-202405', COMMUNITY],
    ['community-202411', COMMUNITY],
    ['community-202505', [...COMMUNITY, 'sag']],
    ['community-202511', [...COMMUNITY, 'sag']],
    ['edgecore-202111', ['LLDP.Global.hello_timer', 'vrrp', 'Vlan1', ...EDGECORE, 'no split-unified']],
    ['edgecore-202211', ['LLDP.GLOBAL.hello_time', 'fec by speed', 'sag', ...EDGECORE]],
    ['dell-enterprise', ['LLDP.GLOBAL.hello_time', 'fec by speed']],
  ])('%s has %j', (name, expected) => {
    const takes = (yaml: string): boolean => generated(yaml, 'ds5000', name).ok;
    const tables = tablesOf(
      'lldp_hello_time: 10\nvlans: [{id: 5}]\nportchannels: {list: [{number: 1}]}\nmclag: {keepalive_vlan: 5, system_mac: "02:00:00:00:00:aa"}',
      'ds5000',
      name,
    );
    const lldp = Object.entries(tables['LLDP'] ?? {}).map(([key, row]) => `LLDP.${key}.${Object.keys(row).join()}`);
    const [port = {}] = Object.values(tables['PORT'] ?? {});
    const found = [
      ...lldp,
      ...('subport' in port ? ['subport'] : []),
      ...(port['fec'] === 'rs' ? ['fec by speed'] : []),
      ...(takes('sag: {mac: "02:00:5e:00:01:01"}') ? ['sag'] : []),
      ...(takes('vlans: [{id: 5, vrrp: {group: 1, ip: 10.0.0.1/24}}]') ? ['vrrp'] : []),
      ...(takes('vlans: [{id: 1}]') ? ['Vlan1'] : []),
      ...('mix_speed' in (tables['PORTCHANNEL']?.['PortChannel1'] ?? {}) ? ['mix_speed'] : []),
      ...('mclag_system_id' in (tables['MCLAG_DOMAIN']?.['1'] ?? {}) ? ['mclag_system_id'] : []),
      ...(takes('docker_routing_config_mode: split-unified') ? [] : ['no split-unified']),
    ];
    expect(found).toEqual(expected);
  });
});

describe('addresses that only look alike', () => {
  test.each([
    ['in two VRFs', 'vlans: [{id: 5, vrf: VrfA, ip: 10.0.0.1/24}, {id: 6, vrf: VrfB, ip: 10.0.0.1/24}]'],
    [
      'of ports, one in a VRF and one by an interconnect',
      'ports: {list: [{name: Ethernet0, ips: [10.0.0.1/24]}, {name: Ethernet4, vrf: VrfA, ips: [10.0.0.1/24]}, {name: Ethernet8, ips: [10.0.0.1/24]}]}\ninterconnects: {b: {vrf: VrfB, unnumbered_interfaces: [Ethernet8]}}',
    ],
    [
      'of the management VRF',
      'mgmt_vrf: true\nmgmt_interface: {ip: 10.0.0.1/24, gateway_address: 10.0.0.2}\nvlans: [{id: 6, ip: 10.0.0.1/24}]',
    ],
    ['a loopback out of a subnet', 'loopback_address: 10.0.0.11\nvlans: [{id: 6, ip: 10.0.0.1/24}]'],
    ['side by side', 'vlans: [{id: 5, ip: 10.0.0.1/25}, {id: 6, ip: 10.0.0.129/25}]'],
  ])('%s are taken', (_, yaml) => {
    expect(problemsOf(yaml)).toEqual([]);
  });
});
