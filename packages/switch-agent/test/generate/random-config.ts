import * as fc from 'fast-check';
import { stringify } from 'yaml';
import type { SonicConfig } from '../../src/generate/sonic-config.ts';
import type { PlatformPort } from '../../src/platform/break-out.ts';
import { layOutPorts } from '../../src/platform/platform.ts';
import { testSwitches, type TestSwitch } from '../platforms/platforms.ts';

/** A `sonic-config.yaml` that has to be accepted, and the switch that it is for. */
export interface RandomConfig {
  readonly onSwitch: TestSwitch;
  readonly config: SonicConfig;
  readonly yaml: string;
}

/**
 * Random valid configurations for the given switches (all of them by default): any breakouts, every port in at most one
 * role, every table of the generator. `fc.sample(randomConfigs(), { seed: 1, numRuns: 300 })` is always the same 300.
 */
export function randomConfigs(
  switches: readonly TestSwitch[] = [...testSwitches.values()],
): fc.Arbitrary<RandomConfig> {
  return fc.constantFrom(...switches).chain((onSwitch) =>
    breakoutsOf(onSwitch).chain((breakouts) => {
      const { layout } = layOutPorts(onSwitch.target.platform, new Map(Object.entries(breakouts)));
      return configOf(onSwitch, breakouts, [...layout.ports.values()]).map((config) => ({
        onSwitch,
        config,
        yaml: stringify(config),
      }));
    }),
  );
}

function breakoutsOf({ target }: TestSwitch): fc.Arbitrary<Readonly<Record<string, string>>> {
  const cages = [...(target.platform.cages?.values() ?? [])];
  return fc
    .subarray(cages, { maxLength: Math.min(cages.length, 12) })
    .chain((chosen) =>
      fc
        .tuple(...chosen.map((cage) => fc.constantFrom(...cage.modes.keys())))
        .map((modes) => Object.fromEntries(chosen.map(({ name }, index) => [name, modes[index] ?? '']))),
    );
}

/** Ports by role; each is in one of them only. */
interface Roles {
  readonly uplinks: readonly string[];
  readonly interconnects: readonly string[];
  readonly routed: readonly string[];
  readonly subinterfaces: readonly string[];
  readonly channels: ReadonlyArray<readonly string[]>;
  readonly vlans: readonly string[];
}

const VRFS = ['VrfInternet', 'VrfMpls', 'Vrf42', 'Vrf_a-b'] as const;
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const nat = (least: number, most: number): fc.Arbitrary<number> => fc.integer({ min: least, max: most });
const unique = (least: number, most: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(nat(least, most), { maxLength });

function rolesOf(names: readonly string[]): fc.Arbitrary<Roles> {
  return fc
    .tuple(
      fc.shuffledSubarray([...names], { minLength: Math.min(names.length, 24), maxLength: Math.min(names.length, 40) }),
      fc.array(nat(0, 4), { minLength: 5, maxLength: 5 }),
    )
    .map(([shuffled, counts]) => {
      let at = 0;
      const take = (count: number | undefined): readonly string[] => {
        at += count ?? 0;
        return shuffled.slice(at - (count ?? 0), at);
      };
      return {
        uplinks: take(counts[0]),
        interconnects: take(counts[1]),
        routed: take(counts[2]),
        subinterfaces: take(counts[3]),
        channels: [take(counts[4]), take(2), take(0)],
        vlans: take(8),
      };
    });
}

function configOf(
  onSwitch: TestSwitch,
  breakouts: Readonly<Record<string, string>>,
  ports: readonly PlatformPort[],
): fc.Arbitrary<SonicConfig> {
  const { distribution } = onSwitch.target;
  return rolesOf(ports.map(({ name }) => name)).chain((roles) =>
    fc
      .record({
        base: baseOf(distribution.routingModes),
        vlanIds: unique(distribution.lowestVlan, 4094, 6),
        channels: fc.subarray([...roles.channels]),
        portSettings: portSettingsOf(ports, roles.routed),
        mclag: fc.boolean(),
        vnis: fc.uniqueArray(nat(1, 16_777_215), { minLength: 8, maxLength: 8 }),
        vtep: fc.boolean(),
        vrf: fc.constantFrom(...VRFS),
        tagged: fc.boolean(),
        sag: fc.boolean(),
      })
      .map(({ base, vlanIds, channels, portSettings, mclag, vnis, vtep, vrf, tagged, sag }) => {
        const list = channels.map((members, index) => ({
          number: String(index + 1).padStart(2, '0'),
          members: [...members],
          ...(index === 0 ? { mtu: 9100 } : { fallback: false }),
        }));
        const anycast = sag && distribution.sag;
        const keepalive = vlanIds[0];
        const [link] = list;
        return {
          ...base,
          breakouts,
          bgp_ports: [...roles.uplinks],
          interconnects: { internet: { vrf, vni: vnis[0], unnumbered_interfaces: [...roles.interconnects] } },
          ports: { default_mtu: 9216, list: portSettings },
          portchannels: { default_mtu: 9000, list },
          ...(anycast ? { sag: { mac: '02:00:5e:00:01:01' } } : {}),
          ...(mclag && keepalive !== undefined && link !== undefined
            ? {
                mclag: {
                  keepalive_vlan: keepalive,
                  member_port_channels: list.slice(1).map(({ number }) => number),
                  peer_ip: '192.168.255.1',
                  source_ip: '192.168.255.2',
                  peer_link: `PortChannel${link.number}`,
                },
              }
            : {}),
          vlans: vlanIds.map((id, index) => ({
            id,
            ...(index % 3 === 0 ? {} : { ip: index % 3 === 1 ? `10.${64 + index}.0.1/24` : `fd00:${index}::1/64` }),
            ...(index % 2 === 1 ? { vrf } : {}),
            ...(index === 1 ? { dhcp_servers: ['10.255.0.1', '10.255.0.2'] } : {}),
            ...(anycast ? { sag: index % 2 === 1 } : {}),
            tagged_ports: [
              ...(tagged ? roles.vlans.slice(0, 3) : []),
              ...list.map(({ number }) => `PortChannel${number}`),
            ],
            untagged_ports: index < 4 ? roles.vlans.slice(3 + index, 4 + index) : [],
          })),
          vlan_subinterfaces: roles.subinterfaces.map((port, index) => ({
            port,
            vlan: 100 + index,
            cidr: `10.32.${index}.1/30`,
            ...(index === 0 ? { vrf } : {}),
          })),
          vtep: {
            enabled: vtep,
            vxlan_tunnel_maps: vlanIds.map((id, index) => ({ vni: vnis[index] ?? 1, vlan: `Vlan${id}` })),
          },
          loopback_address: '10.0.0.11',
        };
      }),
  );
}

function portSettingsOf(
  ports: readonly PlatformPort[],
  routed: readonly string[],
): fc.Arbitrary<NonNullable<SonicConfig['ports']>['list']> {
  return fc.subarray([...ports], { maxLength: Math.min(ports.length, 8) }).chain((chosen) => {
    const names = [...new Set([...routed, ...chosen.map(({ name }) => name)])];
    return fc.tuple(
      ...names.map((name, index) => {
        const port = ports.find((each) => each.name === name);
        return fc.record(
          {
            name: fc.constant(name),
            ips: fc.constant(routed.includes(name) ? [`10.16.${index}.0/31`, `fd01:${index}::1/64`] : []),
            mtu: nat(1500, 9216),
            speed: fc.constantFrom(...(port?.speeds ?? [port?.speed ?? 1000])),
            autoneg: fc.constantFrom('on', 'off'),
            fec: fc.constantFrom('none', 'rs', 'fc', 'auto'),
            description: fc.constantFrom('to spine 1', 'Rack 7, Maschine „12“'),
            admin_status: fc.constantFrom('up', 'down'),
          },
          { requiredKeys: ['name', 'ips'] },
        );
      }),
    );
  });
}

function baseOf(routingModes: TestSwitch['target']['distribution']['routingModes']): fc.Arbitrary<SonicConfig> {
  return fc
    .record({
      hostname: optional(fc.constantFrom('leaf01', 'r01-leaf02', 'mgmt-leaf.dc1')),
      docker_routing_config_mode: optional(fc.constantFrom(...routingModes)),
      frr_mgmt_framework_config: optional(fc.boolean()),
      lldp_hello_time: optional(nat(5, 254)),
      mgmt_vrf: fc.boolean(),
      mgmt_interface: optional(fc.constant({ ip: '172.16.0.11/24', gateway_address: '172.16.0.1' })),
      nameservers: fc.subarray(['1.1.1.1', '9.9.9.9', '2620:fe::fe']),
      ntpServers: fc.subarray(['0.pool.ntp.org', '162.159.200.1', 'fd00::123']),
      ntpSource: optional(fc.constantFrom('eth0', 'Loopback0')),
      features: fc.constantFrom(
        {},
        { dhcp_relay: { enabled: true, auto_restart: true }, telemetry: { enabled: false } },
      ),
      ssh_sourceranges: fc.subarray(['10.0.0.0/8', '172.16.0.0/24', '192.0.2.7/32']),
      sflow: fc.boolean(),
    })
    .map(({ ntpServers, ntpSource, sflow, ...base }) => ({
      ...base,
      ntp: { servers: ntpServers, src_interface: ntpSource, vrf: base.mgmt_vrf ? 'mgmt' : 'default' } as const,
      ...(sflow
        ? { sflow: { enabled: true, polling_interval: 20, collectors: [{ name: 'c1', ip: '10.0.0.9', port: 6344 }] } }
        : {}),
    }));
}
