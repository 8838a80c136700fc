import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createMetrics, MemoryLogger } from '@ingot/daemon';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FabricModel } from '../../src/fabric-model.ts';
import { confFiles } from '../../src/frr/conf-files.ts';
import { createFrr, type Frr } from '../../src/frr/frr.ts';
import { createFrrMetrics } from '../../src/frr/metrics.ts';
import { neighborsByPort } from '../../src/frr/neighbors.ts';
import { createReload } from '../../src/frr/reloader.ts';
import { eventually, hastyClock, never, run, startFrr, type TestFrr } from './frr-kit.ts';
import { plainSettings } from './models.ts';

const SPINE = `
router bgp 4200000001
 bgp router-id 10.0.0.1
 neighbor LEAF peer-group
 neighbor LEAF remote-as external
 neighbor LEAF timers 2 8
 neighbor down1 interface peer-group LEAF
 neighbor down2 interface peer-group LEAF
 !
 address-family ipv6 unicast
  neighbor LEAF activate
 exit-address-family
 !
 address-family l2vpn evpn
  neighbor LEAF activate
 exit-address-family
exit
`;

// Announces what it may, and what it may not.
const FIREWALL = `
router bgp 4200000099
 bgp router-id 10.1.0.1
 no bgp ebgp-requires-policy
 neighbor eth1 interface remote-as external
 neighbor eth1 timers 2 8
 !
 address-family ipv4 unicast
  network 10.1.0.1/32
  network 10.66.0.0/16
 exit-address-family
 !
 address-family ipv6 unicast
  neighbor eth1 activate
  network 2001:db8:1::1/128
  network 2001:db8:66::/48
 exit-address-family
 !
 address-family l2vpn evpn
  neighbor eth1 activate
 exit-address-family
exit
`;

// What metal-core's agent has left on a switch, by its section order and its words.
const OTHER_AGENT = `frr defaults datacenter
hostname leaf01
password zebra
enable password zebra
log syslog informational
log facility local4
debug bgp updates
debug bgp nht
debug zebra events
vrf Vrf104001
 vni 104001
 exit-vrf
!
interface Ethernet120
 ipv6 nd ra-interval 6
 no ipv6 nd suppress-ra
!
interface Ethernet2
 ipv6 nd ra-interval 6
 no ipv6 nd suppress-ra
!
interface Ethernet0 vrf Vrf104001
 ipv6 nd ra-interval 6
 no ipv6 nd suppress-ra
!
router bgp 4200000011
 bgp router-id 10.0.0.11
 bgp bestpath as-path multipath-relax
 neighbor FABRIC peer-group
 neighbor FABRIC remote-as external
 neighbor FABRIC timers 2 8
 neighbor Ethernet120 interface peer-group FABRIC
 neighbor FIREWALL peer-group
 neighbor FIREWALL remote-as external
 neighbor FIREWALL timers 2 8
 neighbor Ethernet2 interface peer-group FIREWALL
 !
 address-family ipv4 unicast
  redistribute connected route-map DENY_MGMT
  redistribute kernel route-map DENY_MGMT
  neighbor FIREWALL allowas-in 2
  neighbor Ethernet2 route-map fw-Ethernet2-in in
 exit-address-family
 !
 address-family ipv6 unicast
  redistribute connected route-map DENY_MGMT
  redistribute kernel route-map DENY_MGMT
  neighbor FIREWALL allowas-in 2
  neighbor FIREWALL activate
  neighbor Ethernet2 route-map fw-Ethernet2-in in
 exit-address-family
 !
 address-family l2vpn evpn
  advertise-all-vni
  neighbor FABRIC activate
  neighbor FABRIC allowas-in 2
  neighbor FIREWALL activate
  neighbor FIREWALL allowas-in 2
  neighbor Ethernet2 route-map fw-Ethernet2-vni out
 exit-address-family
!
route-map DENY_MGMT deny 10
 match interface eth0
route-map DENY_MGMT permit 20
!
ip prefix-list fw-Ethernet2-in-prefixes permit 10.1.0.1/32 le 32
route-map fw-Ethernet2-in permit 10
 match ip address prefix-list fw-Ethernet2-in-prefixes
ip prefix-list fw-Ethernet2-in6-prefixes permit 2001:db8:1::1/128 le 128
route-map fw-Ethernet2-in6 permit 10
 match ipv6 address prefix-list fw-Ethernet2-in6-prefixes
route-map fw-Ethernet2-vni permit 10
 match evpn vni 200001
!
router bgp 4200000011 vrf Vrf104001
 bgp router-id 10.0.0.11
 bgp bestpath as-path multipath-relax
 neighbor MACHINE peer-group
 neighbor MACHINE remote-as external
 neighbor MACHINE timers 2 8
 neighbor Ethernet0 interface peer-group MACHINE
 !
 address-family ipv4 unicast
  redistribute connected
  neighbor MACHINE maximum-prefix 24000
  neighbor MACHINE route-map Vrf104001-in in
 exit-address-family
 !
 address-family l2vpn evpn
  advertise ipv4 unicast
 exit-address-family
!
route-map Vrf104001-in permit 10
 match ip address prefix-list Vrf104001-in-prefixes
ip prefix-list Vrf104001-in-prefixes permit 10.0.16.0/22 le 32
!
line vty
!
`;

function leafModel(index: number, firewalls: FabricModel['firewalls']): FabricModel {
  return {
    hostname: `leaf0${index}`,
    asn: 4_200_000_010 + index,
    loopback: `10.0.0.1${index}`,
    setSourceLoopback: true,
    logLevel: 'info',
    managementRoutes: [],
    uplinks: ['Ethernet120', 'Ethernet124'],
    unprovisioned: [],
    firewalls,
    vrfs: [{ name: 'Vrf104001', vni: 104_001, vlan: 1001, ports: ['Ethernet0'], cidrs: ['10.0.16.0/22'] }],
  };
}

/**
 * Two leaves that the agent configures, a spine and a firewall, each an FRR in a namespace. The kernel that this was
 * written on has no VRF devices: sessions with machines in a tenant's VRF are configured here, and come up elsewhere.
 */
describe('a fabric of two leaves, a spine and a firewall', () => {
  const all: TestFrr[] = [];
  let [spine, leaf1, leaf2, firewall]: TestFrr[] = [];
  let agent1: Frr;
  let agent2: Frr;
  const metrics = createMetrics();

  const node = (frr: TestFrr | undefined): TestFrr => {
    if (frr === undefined) throw new Error('not started');
    return frr;
  };
  const cable = async (a: TestFrr, portA: string, b: TestFrr, portB: string): Promise<void> => {
    const peer = ['peer', 'name', portB, 'netns', b.namespace];
    await execa('ip', ['link', 'add', portA, 'netns', a.namespace, 'type', 'veth', ...peer]);
    await a.ip('link', 'set', portA, 'up');
    await b.ip('link', 'set', portB, 'up');
  };
  const agentOf = (frr: TestFrr, settings = { ...plainSettings, ipv6Underlay: true }): Frr =>
    createFrr({
      files: confFiles(frr.confFile, frr.folder),
      vtysh: frr.vtysh,
      reload: createReload({ method: { command: frr.reloadCommand }, run, timeoutMs: 30_000 }),
      settings,
      features: { fpm: 'auto', snmp: 'auto' },
      rollBack: true,
      include: { before: join(frr.folder, 'before.conf'), after: join(frr.folder, 'after.conf') },
      clock: hastyClock,
      metrics: createFrrMetrics(frr === leaf1 && settings.ipv6Underlay ? metrics : createMetrics()),
      log: new MemoryLogger(),
    });
  const prefixes = async (frr: TestFrr, family: 'ipv4' | 'ipv6'): Promise<readonly string[]> => {
    const table: { readonly routes?: object } = JSON.parse(await frr.show(`show bgp ${family} unicast json`));
    return Object.keys(table.routes ?? {});
  };
  /** The hosts that somebody has EVPN routes to. */
  const hosts = async (frr: TestFrr): Promise<readonly string[]> => {
    const table = await frr.show('show bgp l2vpn evpn route type macip');
    return [
      ...new Set([...table.matchAll(/\*>.*\[2\]:.*(02:00:00:00:00:0\d)/g)].map(([, mac = '']) => mac)),
    ].toSorted();
  };

  beforeAll(async () => {
    for (let count = 0; count < 4; count += 1) all.push(await startFrr([]));
    [spine, leaf1, leaf2, firewall] = all;
    await cable(node(leaf1), 'Ethernet120', node(spine), 'down1');
    await cable(node(leaf2), 'Ethernet120', node(spine), 'down2');
    await cable(node(leaf1), 'Ethernet2', node(firewall), 'eth1');
    await node(firewall).ip('addr', 'add', '10.1.0.1/32', 'dev', 'lo');
    await node(firewall).ip('addr', 'add', '2001:db8:1::1/128', 'dev', 'lo');
    for (const prefix of ['10.66.0.0/16', '2001:db8:66::/48'])
      await node(firewall).ip('route', 'add', 'blackhole', prefix);
    // Two tenant networks with a host each behind the second leaf.
    await node(leaf1).ip('addr', 'add', '10.0.0.11/32', 'dev', 'lo');
    await node(leaf2).ip('addr', 'add', '10.0.0.12/32', 'dev', 'lo');
    for (const [index, vni] of ['200001', '200002'].entries()) {
      const vxlan = ['type', 'vxlan', 'id', vni, 'dstport', '4789', 'local', '10.0.0.12', 'nolearning'];
      await node(leaf2).ip('link', 'add', `vx${vni}`, ...vxlan);
      await node(leaf2).ip('link', 'add', `br${vni}`, 'type', 'bridge');
      await node(leaf2).ip('link', 'set', `vx${vni}`, 'master', `br${vni}`);
      await node(leaf2).ip('link', 'set', `vx${vni}`, 'up');
      await node(leaf2).ip('link', 'set', `br${vni}`, 'up');
      await node(leaf2).ip('link', 'add', `h${vni}`, 'type', 'veth', 'peer', 'name', `g${vni}`);
      await node(leaf2).ip('link', 'set', `h${vni}`, 'master', `br${vni}`);
      await node(leaf2).ip('link', 'set', `h${vni}`, 'up');
      await node(leaf2).ip('link', 'set', `g${vni}`, 'up');
      const entry = [`02:00:00:00:00:0${index + 1}`, 'dev', `h${vni}`, 'master', 'static'];
      await execa('bridge', ['-n', node(leaf2).namespace, 'fdb', 'add', ...entry]);
    }
    await node(spine).load(`frr defaults datacenter\n${SPINE}`);
    await node(firewall).load(`frr defaults datacenter\n${FIREWALL}`);
    [agent1, agent2] = [agentOf(node(leaf1)), agentOf(node(leaf2))];
  });
  afterAll(async () => {
    await Promise.all(all.map(async (frr) => frr[Symbol.asyncDispose]()));
  });

  it('is taken over from another agent without the loss of a session', async () => {
    await node(leaf1).load(OTHER_AGENT);
    await writeFile(node(leaf1).confFile, OTHER_AGENT);
    const established = async (): Promise<readonly string[]> => {
      const answer = await agent1.neighbors(never);
      return answer.ok ? answer.neighbors.filter(({ state }) => state === 'established').map(({ key }) => key) : [];
    };
    await eventually(established, (ports) => ports.length === 2);
    // All that is different: the other one takes the IPv4 filter for IPv6.
    const cidrs = ['10.1.0.1/32', '2001:db8:1::1/128'];
    const same = {
      ...leafModel(1, [{ port: 'Ethernet2', cidrs, vnis: [200_001] }]),
      uplinks: ['Ethernet120'],
      setSourceLoopback: false,
    };
    const agent = agentOf(node(leaf1), plainSettings);
    expect(await agent.preview(same, never)).toEqual([
      '- router bgp 4200000011 / address-family ipv6 unicast / neighbor Ethernet2 route-map fw-Ethernet2-in in',
      '+ router bgp 4200000011 / address-family ipv6 unicast / neighbor Ethernet2 route-map fw-Ethernet2-in6 in',
    ]);
    expect(await agent.apply(same, never)).toEqual({ changed: true, problems: [] });
    expect(await established()).toHaveLength(2);
    const dropped = (await node(leaf1).show('show bgp vrf all neighbors json')).matchAll(
      /"connectionsDropped":\s*(\d+)/g,
    );
    expect(new Set([...dropped].map(([, count]) => count))).toEqual(new Set(['0']));
  });

  it('comes up, and a firewall without a filter announces and learns nothing', async () => {
    expect(await agent2.apply(leafModel(2, []), never)).toEqual({ changed: true, problems: [] });
    const closed = leafModel(1, [{ port: 'Ethernet2', cidrs: [], vnis: [] }]);
    expect(await agent1.apply(closed, never)).toEqual({ changed: true, problems: [] });
    const read = await eventually(
      async () => {
        const answer = await agent1.neighbors(never);
        return answer.ok ? answer.neighbors.filter(({ state }) => state === 'established').map(({ key }) => key) : [];
      },
      (ports) => ports.length === 2,
    );
    expect(read.toSorted()).toEqual(['Ethernet120', 'Ethernet2']);
    // The routes of the networks behind the other leaf, over the spine.
    await eventually(
      () => hosts(node(leaf1)),
      (macs) => macs.length === 2,
    );
    expect(await hosts(node(firewall))).toEqual([]);
    // What it was allowed to announce before is withdrawn.
    await eventually(
      async () => [...(await prefixes(node(spine), 'ipv4')), ...(await prefixes(node(spine), 'ipv6'))],
      (routes) => !routes.includes('10.1.0.1/32') && !routes.some((route) => route.includes(':')),
    );
  });

  it('lets a firewall announce its prefixes and no others, and tells it of its networks only', async () => {
    const cidrs = ['10.1.0.1/32', '2001:db8:1::1/128'];
    const open = leafModel(1, [{ port: 'Ethernet2', cidrs, vnis: [200_001] }]);
    expect(await agent1.preview(open, never)).toContain('+ route-map fw-Ethernet2-in permit 10');
    expect(await agent1.apply(open, never)).toEqual({ changed: true, problems: [] });
    await eventually(
      () => prefixes(node(spine), 'ipv4'),
      (routes) => routes.includes('10.1.0.1/32'),
    );
    expect(
      await eventually(
        () => prefixes(node(spine), 'ipv6'),
        (routes) => routes.length > 0,
      ),
    ).toEqual(['2001:db8:1::1/128']);
    const told = await eventually(
      () => hosts(node(firewall)),
      (macs) => macs.length > 0,
    );
    expect(told).toEqual(['02:00:00:00:00:01']);
    expect(await prefixes(node(spine), 'ipv4')).not.toContain('10.66.0.0/16');
    expect(await agent1.preview(open, never)).toEqual([]);
    expect(await agent1.apply(open, never)).toEqual({ changed: false, problems: [] });
  });

  it('gives the heartbeat what the API takes', async () => {
    const answer = await agent1.neighbors(never);
    const ports = neighborsByPort(answer.ok ? answer.neighbors : []);
    expect(ports.get('Ethernet120')).toMatchObject({
      vrf: 'default',
      neighbor: hostname(),
      peerGroup: 'FABRIC',
      state: 'established',
      acceptedPrefixes: 1,
      sentPrefixes: expect.any(Number),
    });
    expect(Math.abs(Date.now() - (ports.get('Ethernet120')?.establishedAtMs ?? 0))).toBeLessThan(120_000);
    expect(ports.get('Ethernet124')).toMatchObject({ neighbor: 'unknown', state: 'idle', establishedAtMs: 0 });
    expect(ports.get('Ethernet0')).toMatchObject({ vrf: 'Vrf104001', peerGroup: 'MACHINE', neighbor: 'unknown' });
    const text = await metrics.text();
    expect(text).toContain('ingot_switch_agent_bgp_established{port="Ethernet2",vrf="default"} 1');
    expect(text).toMatch(/ingot_switch_agent_frr_applies_total\{result="applied"\} 2/);
  });

  it('withdraws the routes of what is freed, before its port is touched', async () => {
    expect((await agent1.observe(never)).neighbors).toEqual(new Set(['Ethernet2', 'Ethernet120', 'Ethernet124']));
    const freed = { ...leafModel(1, []), vrfs: [] };
    expect(await agent1.apply(freed, never)).toEqual({ changed: true, problems: [] });
    expect(await agent1.observe(never)).toEqual({ running: true, neighbors: new Set(['Ethernet120', 'Ethernet124']) });
    await eventually(
      () => prefixes(node(spine), 'ipv4'),
      (routes) => !routes.includes('10.1.0.1/32'),
    );
    await eventually(
      () => prefixes(node(spine), 'ipv6'),
      (routes) => routes.length === 0,
    );
    expect(await node(leaf1).show('show running-config')).not.toMatch(/Vrf104001|fw-Ethernet2/);
    await agent1.neighbors(never);
    expect(await metrics.text()).not.toContain('port="Ethernet2"');
  });

  it('says that bgpd does not run, and believes in the neighbours of one that hangs', async () => {
    await node(leaf1).killBgpd('SIGSTOP');
    const hung = createFrr({
      files: confFiles(node(leaf1).confFile, node(leaf1).folder),
      vtysh: { ...node(leaf1).vtysh, running: async () => ({ ok: false, hung: true, reason: 'vtysh was killed' }) },
      reload: async () => undefined,
      settings: plainSettings,
      features: { fpm: 'auto', snmp: 'auto' },
      rollBack: true,
      include: { before: '/nonexistent', after: '/nonexistent' },
      clock: hastyClock,
      metrics: createFrrMetrics(createMetrics()),
      log: new MemoryLogger(),
    });
    expect(await hung.observe(never)).toEqual({ running: true, neighbors: new Set(['Ethernet120', 'Ethernet124']) });
    await node(leaf1).killBgpd('SIGCONT');
    await node(leaf1).killBgpd('SIGKILL');
    expect(await agent1.observe(never)).toEqual({ running: false, neighbors: new Set() });
    expect(await agent1.neighbors(never)).toMatchObject({ ok: false });
    expect(await agent1.apply(leafModel(1, []), never)).toMatchObject({
      problems: [expect.stringContaining('bgpd does not run')],
    });
  });
});
