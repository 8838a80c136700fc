import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { switchRelayConfig, type SwitchRelayConfig } from '../../src/relay/config.ts';
import { bridgePortName, readInterface } from '../../src/relay/kernel-interfaces.ts';
import { createPlanSource } from '../../src/relay/plan-source.ts';
import { staticPlan } from '../../src/relay/plan.ts';
import { createPortFinder } from '../../src/relay/ports.ts';
import { readSonicPlan } from '../../src/relay/sonic-plan.ts';
import { MemoryDb } from '../unit-kit.ts';

async function configOf(...argv: readonly string[]): Promise<SwitchRelayConfig> {
  const loaded = await loadConfig(switchRelayConfig, { argv: [...argv], env: {} });
  if (loaded.kind !== 'config') throw new Error(loaded.kind === 'error' ? loaded.error.message : loaded.kind);
  return loaded.config;
}

describe('the configuration', () => {
  test('names links by flags, one with settings of its own', async () => {
    const other = '[{"interface":"Vlan4001","servers":["10.9.9.9"],"agentRelayMode":"append"}]';
    const flags = `--interfaces Vlan4000,Vlan4001 --servers 10.0.0.1,10.0.0.2 --hostname leaf1 --links ${other}`;
    const config = await configOf(...flags.split(' '));
    expect(staticPlan(config)).toMatchObject({
      hostname: 'leaf1',
      links: [
        { name: 'Vlan4000', servers: ['10.0.0.1', '10.0.0.2'], agentRelayMode: 'discard', maxHops: 4 },
        { name: 'Vlan4001', servers: ['10.9.9.9'], agentRelayMode: 'append', maxHops: 4 },
      ],
    });
  });

  test.each([
    [['--servers', '10.0.0.256'], /no IPv4 address/],
    [['--servers', '255.255.255.255'], /no address of a server/],
    [['--servers', '0.0.0.0'], /no address of a server/],
    [['--interfaces', 'a/b'], /a network interface/],
    [['--circuit-id', '{hostnam}:{alias}'], /knows \{hostname\}, \{port\}, \{alias\}/],
    [['--max-hops', '17'], /16/],
    [['--agent-relay-mode', 'drop'], /discard/],
    [['--links', '[{"interface":"Vlan1"},{"interface":"Vlan1"}]'], /an interface twice/],
    [['--links', '[{"interface":"Vlan1","server":["10.0.0.1"]}]'], /server/],
  ])('refuses %j in words', async (argv, words) => {
    await expect(configOf(...argv)).rejects.toThrow(words);
  });
});

describe('CONFIG_DB', () => {
  const db = new MemoryDb();
  beforeEach(() => {
    db.tables.clear();
    db.failure = undefined;
    db.set('DEVICE_METADATA', 'localhost', { hostname: 'leaf7' })
      .set('PORT', 'Ethernet0', { alias: 'Eth1/1' })
      .set('PORT', 'Ethernet4', { lanes: '5' })
      .set('VLAN', 'Vlan4000', { vlanid: '4000', 'dhcp_servers@': '10.0.0.1,10.0.0.2' })
      .set('VLAN', 'Vlan100', { vlanid: '100' });
  });
  const odd: string[] = [];
  const planOf = async (...argv: readonly string[]) => {
    odd.length = 0;
    return readSonicPlan(db, await configOf(...argv), (what) => odd.push(what));
  };

  test('names VLANs with servers, ports and the host', async () => {
    const plan = await planOf();
    expect(plan).toMatchObject({
      hostname: 'leaf7',
      links: [{ name: 'Vlan4000', servers: ['10.0.0.1', '10.0.0.2'], agentRelayMode: 'discard', maxHops: 4 }],
    });
    expect([...plan.aliases]).toEqual([['Ethernet0', 'Eth1/1']]);
    expect(odd).toEqual([]);
  });

  test('says more in DHCPV4_RELAY, which comes before VLAN and before our own settings', async () => {
    db.set('DHCPV4_RELAY', 'Vlan4000', {
      'dhcpv4_servers@': '10.0.0.9',
      server_vrf: 'default',
      source_interface: 'Loopback0',
      link_selection: 'enable',
      server_id_override: 'enable',
      vrf_selection: 'enable',
      agent_relay_mode: 'append',
      max_hop_count: '10',
    }).set('DHCPV4_RELAY', 'Vlan100', { 'dhcpv4_servers@': '10.0.0.1', link_selection: 'disable' });
    const { links } = await planOf('--max-hops', '7', '--link-selection');
    expect(links).toEqual([
      expect.objectContaining({ name: 'Vlan100', linkSelection: false, maxHops: 7 }),
      {
        name: 'Vlan4000',
        servers: ['10.0.0.9'],
        serverVrf: 'default',
        sourceInterface: 'Loopback0',
        linkSelection: true,
        serverIdOverride: true,
        vrfSelection: true,
        agentRelayMode: 'append',
        maxHops: 10,
        downstreamRelays: false,
      },
    ]);
  });

  test('with what cannot be understood loses no more than that, and it is named', async () => {
    db.set('VLAN', 'Vlan4000', { 'dhcp_servers@': '10.0.0.1, fe80::1,10.0.0.300' }).set('DHCPV4_RELAY', 'Vlan4000', {
      link_selection: 'yes',
      agent_relay_mode: 'drop',
      max_hop_count: '99',
    });
    const { links } = await planOf();
    expect(links).toMatchObject([
      { servers: ['10.0.0.1'], linkSelection: false, agentRelayMode: 'discard', maxHops: 4 },
    ]);
    expect(odd).toEqual([
      expect.stringContaining('"10.0.0.300" is no IPv4 address'),
      expect.stringContaining('no agent_relay_mode "drop"'),
      expect.stringContaining('max_hop_count is not 1 to 16'),
      expect.stringContaining('link_selection is "yes"'),
    ]);
  });

  test('that is being filled again by config reload takes no link away, one that is gone twice is gone', async () => {
    const source = createPlanSource(await configOf(), db);
    expect((await source.read()).links).toHaveLength(1);
    db.tables.clear();
    expect((await source.read()).links).toHaveLength(1);
    expect((await source.read()).links).toEqual([]);
    db.set('VLAN', 'Vlan4000', { 'dhcp_servers@': '10.0.0.1' });
    expect((await source.read()).links).toHaveLength(1);
  });

  test('that cannot be read leaves what was read last', async () => {
    const source = createPlanSource(await configOf(), db);
    const plan = await source.read();
    db.failure = new Error('gone');
    await expect(source.read()).rejects.toThrow('gone');
    expect(source.last()).toBe(plan);
  });

  test('is not asked where the configuration names links', async () => {
    const before = db.questions;
    const source = createPlanSource(await configOf('--interfaces', 'Vlan1', '--servers', '10.0.0.1'), db);
    expect((await source.read()).links).toMatchObject([{ name: 'Vlan1' }]);
    expect(db.questions).toBe(before);
  });
});

describe('an interface of the kernel', () => {
  let root: string;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  };
  const device = (name: string, index: number): void => {
    write(`sys/class/net/${name}/ifindex`, String(index));
    write(`sys/class/net/${name}/address`, '02:00:00:00:01:01');
    write(`sys/class/net/${name}/mtu`, '9100');
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ingot-kernel-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test('that is a bridge itself, as in the virtual rack', () => {
    device('Vlan4000', 5);
    write('sys/class/net/Vlan4000/bridge/vlan_filtering', '0');
    expect(readInterface('Vlan4000', root)).toEqual({
      index: 5,
      mac: '02:00:00:00:01:01',
      mtu: 9100,
      bridge: { index: 5, name: 'Vlan4000', vlan: 0 },
      vrf: undefined,
    });
  });

  test("that is a VLAN of SONiC's bridge, in a VRF", () => {
    device('Bridge', 3);
    write('sys/class/net/Bridge/bridge/vlan_filtering', '1');
    device('Vlan4000', 5);
    symlinkSync('../Bridge', join(root, 'sys/class/net/Vlan4000/lower_Bridge'));
    write('proc/net/vlan/Vlan4000', 'Vlan4000  VID: 4000\t REORDER_HDR: 1  dev->priv_flags: 1021');
    device('Vrf42', 9);
    write('sys/class/net/Vrf42/uevent', 'DEVTYPE=vrf\nINTERFACE=Vrf42\nIFINDEX=9');
    symlinkSync('../Vrf42', join(root, 'sys/class/net/Vlan4000/master'));
    expect(readInterface('Vlan4000', root)).toMatchObject({
      bridge: { index: 3, name: 'Bridge', vlan: 4000 },
      vrf: 'Vrf42',
    });
  });

  test('that is a port of its own, or is not there', () => {
    device('Ethernet0', 7);
    write('sys/class/net/Bridge/brif/Ethernet0/port_no', '0x1');
    device('Bridge', 3);
    expect(readInterface('Ethernet0', root)).toMatchObject({ bridge: undefined, vrf: undefined });
    expect(readInterface('Ethernet4', root)).toBeUndefined();
    expect(bridgePortName('Bridge', 7, root)).toBe('Ethernet0');
    expect(bridgePortName('Bridge', 8, root)).toBeUndefined();
  });
});

test('the kernel is asked for the port of a client once a second, and a flood of clients is forgotten', async () => {
  const clock = new MockClock();
  const questions: string[] = [];
  const finder = createPortFinder({
    kernel: {
      bridgePort: (_bridge, mac) => {
        questions.push(mac.join(':'));
        return mac[5];
      },
    },
    clock,
    nameOf: (_bridge, index) => (index < 128 ? `Ethernet${index}` : undefined),
  });
  const bridge = { index: 3, name: 'Bridge', vlan: 4000 };
  const mac = (number: number): Uint8Array => Uint8Array.of(2, 0, 0, number >> 16, (number >> 8) & 0xff, number & 0xff);
  for (let count = 0; count < 3; count += 1) expect(finder.portOf(bridge, mac(4))).toBe('Ethernet4');
  expect(finder.portOf({ ...bridge, vlan: 1 }, mac(200))).toBeUndefined();
  expect(questions).toHaveLength(2);
  await clock.advance(1_000);
  finder.portOf(bridge, mac(4));
  expect(questions).toHaveLength(3);
  for (let number = 1_000; number < 20_000; number += 1) finder.portOf(bridge, mac(number));
  expect(finder.portOf(bridge, mac(4))).toBe('Ethernet4');
  expect(questions.filter((asked) => asked === mac(4).join(':'))).toHaveLength(3);
});
