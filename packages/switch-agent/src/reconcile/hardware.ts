import type { Snapshot, SonicStore } from '../sonic-db.ts';
import type { Condition } from './actions.ts';
import { vlanIdOf, vlanName } from './vlan-pool.ts';

/** What SONiC's daemons and syncd have made of CONFIG_DB so far. */
export interface Hardware {
  /** Ports by name → object id; a port that is not in it has not been made. */
  readonly ports: ReadonlyMap<string, string>;
  /** The object ids of the ports that are routed, and of those that are in the bridge. */
  readonly routedPorts: ReadonlySet<string>;
  readonly bridgedPorts: ReadonlySet<string>;
  /** VLAN id → object id. */
  readonly vlans: ReadonlyMap<number, string>;
  /** The object ids of the VLANs that are routed. */
  readonly routedVlans: ReadonlySet<string>;
  /** The ids of the VLANs that a tunnel maps to a VNI. */
  readonly mappedVlans: ReadonlySet<number>;
  /** STATE_DB, which the daemons before orchagent keep: interface → VRF, '' for the default one. */
  readonly interfaces: ReadonlyMap<string, string>;
  readonly memberPorts: ReadonlySet<string>;
  readonly stateVlans: ReadonlySet<number>;
  readonly readyVrfs: ReadonlySet<string>;
  readonly presentVrfs: ReadonlySet<string>;
}

export interface HardwareDatabases {
  readonly asicDb: SonicStore;
  readonly countersDb: SonicStore;
  readonly stateDb: SonicStore;
}

const OBJECTS = {
  bridgePort: 'SAI_OBJECT_TYPE_BRIDGE_PORT',
  router: 'SAI_OBJECT_TYPE_ROUTER_INTERFACE',
  vlan: 'SAI_OBJECT_TYPE_VLAN',
  tunnelMap: 'SAI_OBJECT_TYPE_TUNNEL_MAP_ENTRY',
} as const;
// ASIC_DB may hold a hundred thousand routes, whose keys end in JSON: these are the objects with an id of their own.
const ASIC_MATCH = 'ASIC_STATE:SAI_OBJECT_TYPE_[BRTV]*:oid:0x*';
const ASIC_TYPES: ReadonlySet<string> = new Set(Object.values(OBJECTS));

const PORT_MAP = 'COUNTERS_PORT_NAME_MAP';

const STATE_MATCH = '[IV]*_TABLE*';
const STATE_TABLES: ReadonlySet<string> = new Set([
  'INTERFACE_TABLE',
  'VLAN_TABLE',
  'VLAN_MEMBER_TABLE',
  'VRF_TABLE',
  'VRF_OBJECT_TABLE',
]);

/** The conditions that ASIC_DB has a say in; the others cost one small question to STATE_DB. */
const NEEDS_ASIC: ReadonlySet<Condition['kind']> = new Set([
  'port-free',
  'port-settled',
  'vlan-unmapped',
  'vlan-gone',
  'vlan-settled',
]);

/** Reads what the conditions need. Throws SwitchAgentError. */
export async function readHardware(databases: HardwareDatabases, conditions: readonly Condition[]): Promise<Hardware> {
  const empty: Snapshot = { tables: new Map(), hashes: new Map(), flags: new Set() };
  const needsAsic = conditions.some(({ kind }) => NEEDS_ASIC.has(kind));
  const [state, asic, counters] = await Promise.all([
    databases.stateDb.snapshot({ rows: { match: STATE_MATCH, wanted: (table) => STATE_TABLES.has(table) } }),
    needsAsic
      ? databases.asicDb.snapshot({
          rows: { match: ASIC_MATCH, wanted: (_, key) => ASIC_TYPES.has(key.split(':', 1)[0] ?? '') },
        })
      : empty,
    needsAsic ? databases.countersDb.snapshot({ hashes: [PORT_MAP] }) : empty,
  ]);
  return {
    ...fromAsic(asic),
    ...fromState(state),
    ports: new Map(Object.entries(counters.hashes.get(PORT_MAP) ?? {})),
  };
}

function fromAsic({
  tables,
}: Snapshot): Pick<Hardware, 'routedPorts' | 'bridgedPorts' | 'vlans' | 'routedVlans' | 'mappedVlans'> {
  const routedPorts = new Set<string>();
  const bridgedPorts = new Set<string>();
  const vlans = new Map<number, string>();
  const routedVlans = new Set<string>();
  const mappedVlans = new Set<number>();
  const note = (ids: Set<string>, id: string | undefined): void => {
    if (id !== undefined) ids.add(id);
  };
  for (const [key, row] of tables.get('ASIC_STATE') ?? []) {
    const [type = ''] = key.split(':', 1);
    if (type === OBJECTS.bridgePort) note(bridgedPorts, row['SAI_BRIDGE_PORT_ATTR_PORT_ID']);
    if (type === OBJECTS.router) {
      note(routedPorts, row['SAI_ROUTER_INTERFACE_ATTR_PORT_ID']);
      note(routedVlans, row['SAI_ROUTER_INTERFACE_ATTR_VLAN_ID']);
    }
    if (type === OBJECTS.tunnelMap) {
      const vlan = row['SAI_TUNNEL_MAP_ENTRY_ATTR_VLAN_ID_VALUE'] ?? row['SAI_TUNNEL_MAP_ENTRY_ATTR_VLAN_ID_KEY'];
      if (vlan !== undefined) mappedVlans.add(Number(vlan));
    }
    if (type === OBJECTS.vlan) vlans.set(Number(row['SAI_VLAN_ATTR_VLAN_ID']), key.slice(type.length + 1));
  }
  return { routedPorts, bridgedPorts, vlans, routedVlans, mappedVlans };
}

function fromState({
  tables,
}: Snapshot): Pick<Hardware, 'interfaces' | 'memberPorts' | 'stateVlans' | 'readyVrfs' | 'presentVrfs'> {
  const rows = (table: string): ReadonlyMap<string, Readonly<Record<string, string>>> => tables.get(table) ?? new Map();
  const vrfs = [...rows('VRF_TABLE')];
  return {
    // The addresses of an interface have rows of their own, behind another separator.
    interfaces: new Map(
      [...rows('INTERFACE_TABLE')].filter(([key]) => !key.includes('|')).map(([name, row]) => [name, row['vrf'] ?? '']),
    ),
    memberPorts: new Set([...rows('VLAN_MEMBER_TABLE').keys()].map((key) => key.split('|')[1] ?? '')),
    stateVlans: new Set([...rows('VLAN_TABLE').keys()].flatMap((name) => vlanIdOf(name) ?? [])),
    readyVrfs: new Set(vrfs.flatMap(([name, row]) => (row['state'] === 'ok' ? [name] : []))),
    presentVrfs: new Set([...vrfs.map(([name]) => name), ...rows('VRF_OBJECT_TABLE').keys()]),
  };
}

/** Why the condition does not hold, in words for the operator; undefined when it does. */
export function unmet(hardware: Hardware, neighbors: ReadonlySet<string>, condition: Condition): string | undefined {
  switch (condition.kind) {
    case 'port-free':
      return portHolder(hardware, condition.port);
    case 'withdrawn':
      return neighbors.has(condition.port) ? 'FRR still has a BGP neighbour on it' : undefined;
    case 'vrf-ready':
      return hardware.readyVrfs.has(condition.vrf) ? undefined : `${condition.vrf} has no device yet (is vrfmgrd up?)`;
    case 'vrf-gone':
      return hardware.presentVrfs.has(condition.vrf) ? `${condition.vrf} is still being removed` : undefined;
    case 'vrf-without-ports':
      return stillIn(hardware, condition.vrf, (name) => vlanIdOf(name) === undefined);
    case 'vrf-unused':
      return stillIn(hardware, condition.vrf, () => true);
    case 'port-settled':
      return portBinding(hardware, condition.port) === condition.as
        ? undefined
        : `SONiC is still at work on it (it is to be ${condition.as})`;
    case 'vlan-settled': {
      const { vlan, routed, mapped } = condition;
      const isThere =
        hardware.vlans.has(vlan) &&
        hardware.stateVlans.has(vlan) &&
        (!routed || (isRouted(hardware, vlan) && hardware.interfaces.has(vlanName(vlan)))) &&
        (!mapped || hardware.mappedVlans.has(vlan));
      return isThere ? undefined : `${vlanName(vlan)} has not been made in full yet`;
    }
    case 'vlan-unmapped': {
      const { vlan } = condition;
      if (hardware.mappedVlans.has(vlan)) return `the tunnel map of ${vlanName(vlan)} is still there`;
      return isRouted(hardware, vlan) || hardware.interfaces.has(vlanName(vlan))
        ? `the routed interface of ${vlanName(vlan)} is still there`
        : undefined;
    }
    case 'vlan-gone':
      return hardware.vlans.has(condition.vlan) || hardware.stateVlans.has(condition.vlan)
        ? `${vlanName(condition.vlan)} is still being removed`
        : undefined;
  }
}

function isRouted(hardware: Hardware, vlan: number): boolean {
  const id = hardware.vlans.get(vlan);
  return id !== undefined && hardware.routedVlans.has(id);
}

/** What the daemons and the chip agree on about a port; undefined while they do not. */
function portBinding(hardware: Hardware, port: string): 'routed' | 'bridged' | undefined {
  const id = hardware.ports.get(port) ?? '';
  if (hardware.interfaces.has(port) && hardware.routedPorts.has(id)) return 'routed';
  return hardware.memberPorts.has(port) && hardware.bridgedPorts.has(id) ? 'bridged' : undefined;
}

function portHolder(hardware: Hardware, port: string): string | undefined {
  const id = hardware.ports.get(port);
  if (id === undefined) return 'orchagent has not made the port yet (COUNTERS_PORT_NAME_MAP); are swss and syncd up?';
  if (hardware.interfaces.has(port)) return 'intfmgrd still has it as a routed interface';
  if (hardware.memberPorts.has(port)) return 'vlanmgrd still has it in a VLAN';
  if (hardware.routedPorts.has(id)) return 'its router interface is still in ASIC_DB';
  return hardware.bridgedPorts.has(id) ? 'its bridge port is still in ASIC_DB' : undefined;
}

function stillIn(hardware: Hardware, vrf: string, counts: (name: string) => boolean): string | undefined {
  const name = [...hardware.interfaces].find(([candidate, of]) => of === vrf && counts(candidate))?.[0];
  return name === undefined ? undefined : `${name} is still in ${vrf}`;
}
