import { type Clock, systemClock } from '@ingot/net';
import type { DesiredNic, DesiredSwitch } from '../../src/api.ts';
import { openSonicDb, type SonicStore } from '../../src/sonic-db.ts';
import type { DatabaseConfig, DatabaseName } from '../../src/database-config.ts';
import type { Executor } from '../../src/reconcile/execute.ts';
import type { FrrPort } from '../../src/reconcile/frr-port.ts';
import type { LeafConfig } from '../../src/reconcile/wishes.ts';

export const UPLINKS = ['Ethernet120', 'Ethernet124'] as const;
export const PXE_VLAN = 4000;

export const LEAF: LeafConfig = {
  uplinks: UPLINKS,
  additionalBridgePorts: ['Ethernet60'],
  pxeVlanId: PXE_VLAN,
  asn: 4_200_000_011,
  loopback: '10.0.0.11',
  setSourceLoopback: true,
  managementRoutes: [],
};

export function machinePorts(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `Ethernet${index}`);
}

/** CONFIG_DB as the renderer leaves it, with some rows of the operator's. */
export function freshConfig(machines: readonly string[]): ReadonlyArray<readonly string[]> {
  const ports = [...machines, ...UPLINKS, 'Ethernet60', 'Ethernet64'];
  return [
    ['SET', 'CONFIG_DB_INITIALIZED', '1'],
    ...ports.map((port) => ['HSET', `PORT|${port}`, 'alias', `Eth${port.slice(8)}`, 'lanes', '1', 'mtu', '9100']),
    ['HSET', 'VLAN|Vlan4000', 'vlanid', '4000'],
    ['HSET', 'VLAN_INTERFACE|Vlan4000', 'NULL', 'NULL'],
    ['HSET', 'VLAN_INTERFACE|Vlan4000|10.0.1.1/25', 'NULL', 'NULL'],
    ['HSET', 'VXLAN_TUNNEL|vtep', 'src_ip', '10.0.0.11'],
    ['HSET', 'VXLAN_EVPN_NVO|nvo', 'source_vtep', 'vtep'],
    ['HSET', 'LOOPBACK_INTERFACE|Loopback0', 'NULL', 'NULL'],
    ...foreignRows(),
  ];
}

/** What belongs to the operator and must never be touched. */
export function foreignRows(): ReadonlyArray<readonly string[]> {
  return [
    ['HSET', 'VRF|VrfInternet', 'vni', '7'],
    ['HSET', 'VRF|Vrf500', 'vni', '500'],
    ['HSET', 'VLAN|Vlan500', 'vlanid', '500'],
    ['HSET', 'VLAN_INTERFACE|Vlan500', 'vrf_name', 'Vrf500'],
    ['HSET', 'VXLAN_TUNNEL_MAP|vtep|map_500_Vlan500', 'vlan', 'Vlan500', 'vni', '500'],
    ['HSET', 'VLAN|Vlan1003', 'vlanid', '1003', 'description', 'printers'],
    ['HSET', 'VLAN_MEMBER|Vlan1003|Ethernet60', 'tagging_mode', 'tagged'],
    ['HSET', 'INTERFACE|Ethernet64', 'vrf_name', 'VrfInternet'],
    ['HSET', 'INTERFACE|Ethernet64|192.0.2.1/31', 'NULL', 'NULL'],
  ];
}

export interface LeafDatabases extends Disposable {
  readonly configDb: SonicStore;
  readonly asicDb: SonicStore;
  readonly countersDb: SonicStore;
  readonly stateDb: SonicStore;
}

export function openDatabases(databases: DatabaseConfig, timeoutMs = 5000, clock: Clock = systemClock): LeafDatabases {
  const open = (name: DatabaseName): SonicStore =>
    openSonicDb({ name, locate: () => Promise.resolve(databases[name]), clock, timeoutMs });
  const all = {
    configDb: open('CONFIG_DB'),
    asicDb: open('ASIC_DB'),
    countersDb: open('COUNTERS_DB'),
    stateDb: open('STATE_DB'),
  };
  return { ...all, [Symbol.dispose]: () => Object.values(all).forEach((db) => db.close()) };
}

/** Real pauses, and a time that they alone move: a host that stalls makes nobody late. */
function clockOfPauses(): Clock {
  let passedMs = 0;
  return {
    ...systemClock,
    monotonic: () => passedMs,
    sleep: async (ms, signal) => {
      await systemClock.sleep(ms, signal);
      passedMs += ms;
    },
  };
}

/** An executor for tests: it looks at the hardware every few milliseconds. */
export function executorOf(databases: LeafDatabases, frr: FrrPort | undefined, waitMs = 5000): Executor {
  return {
    configDb: databases.configDb,
    hardware: databases,
    frr,
    clock: clockOfPauses(),
    waitMs,
    pollMs: [1, 8],
  };
}

/** One of the states that the API can want a port to be in. */
export function randomDesired(
  machines: readonly string[],
  random: () => number,
  options: { readonly vrfs: number; readonly before?: DesiredSwitch },
): DesiredSwitch {
  const nic = (name: string): DesiredNic => {
    const dice = random();
    const vni = 100 + Math.floor(random() * options.vrfs);
    const filter = { cidrs: [`10.${vni}.0.0/16`], vnis: [] };
    const state = random() < 0.1 ? ({ state: random() < 0.5 ? 'up' : 'down' } as const) : {};
    if (dice < 0.3) return { name, ...state };
    if (dice < 0.5) return { name, vrf: 'default', filter: { cidrs: ['10.0.0.99/32'], vnis: [`${vni}`] }, ...state };
    return { name, vrf: `vrf${vni}`, filter, ...state };
  };
  const change = options.before === undefined ? 1 : 0.1 + random() * random();
  return {
    nics: machines.map((name, index) => {
      const old = options.before?.nics[index];
      return old === undefined || random() < change ? nic(name) : old;
    }),
  };
}
