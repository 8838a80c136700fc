import { firmwareRemedy } from './firmware-agents.ts';
import type { Neighbor } from './neighbors.ts';
import type { LldpPort } from './ports.ts';

/** Which neighbours count as leaves. */
export interface LeafPolicy {
  /** This machine's, which it sends as its system name. */
  readonly ownUuid: string;
  /**
   * System names of leaves, where the operator wants to say. Then no other neighbour is a leaf, and what a neighbour says
   * it can do does not matter. Without it every neighbour is one that bridges or routes, or does not say.
   */
  readonly leafName?: RegExp;
}

/** Why a neighbour counts or does not. */
export const Verdict = {
  LEAF: 'leaf',
  /** A cable from this machine to itself, or a switch that floods LLDP. */
  OWN: 'this machine itself',
  /** Machines in discovery call themselves by their UUID. */
  MACHINE: 'another machine in discovery',
  /** A server with an LLDP daemon, a storage system. */
  NO_SWITCH: 'no switch',
  OTHER_NAME: 'not named like a leaf',
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface HeardNeighbor {
  readonly neighbor: Neighbor;
  readonly verdict: Verdict;
}

/** What one port saw. */
export interface PortReport {
  readonly name: string;
  readonly carrier: boolean;
  readonly heard: readonly HeardNeighbor[];
  /** For a person: `m1 hears leaf1 port Eth1/1`. */
  readonly text: string;
}

export interface LeafFindings {
  /** Leaves only. */
  readonly neighbors: readonly Neighbor[];
  /** True when exactly two leaves were heard, each on ports of its own. */
  readonly complete: boolean;
  readonly ports: readonly PortReport[];
  /** Why not complete, port by port; for a person. Empty when complete. */
  readonly diagnosis: string;
}

/** Every machine is cabled to one pair of leaves; the API takes no other number of system names. */
const leafCount = 2;

export function judgeLeaves(heard: readonly Neighbor[], ports: readonly LldpPort[], policy: LeafPolicy): LeafFindings {
  // In an order of their own, whatever lldpd's is. What a BMC says on the wire to it comes from no port.
  const judged = ports.flatMap(({ name }) =>
    latest(heard.filter(({ nic }) => nic === name))
      .toSorted((one, two) => compare(one.sysName, two.sysName) || compare(chassisOf(one), chassisOf(two)))
      .map((neighbor) => ({ neighbor, verdict: verdictOf(neighbor, policy) })),
  );
  const neighbors = judged.filter(({ verdict }) => verdict === Verdict.LEAF).map(({ neighbor }) => neighbor);
  const reports = ports.map((port) =>
    portReport(
      port,
      judged.filter(({ neighbor }) => neighbor.nic === port.name),
    ),
  );
  const why = whyNot(neighbors);
  const complete = why === '';
  const texts = reports.length === 0 ? 'no NICs' : reports.map(({ text }) => text).join(', ');
  return { neighbors, complete, ports: reports, diagnosis: complete ? '' : `${why}: ${texts}` };
}

const compare = (one: string, two: string): number => (one < two ? -1 : Number(one > two));

/**
 * One record for each neighbour of a port: a switch that changes its port id, as during its start, stays known under the
 * old one until that is too old.
 */
function latest(heard: readonly Neighbor[]): Neighbor[] {
  const byChassis = new Map<string, Neighbor>();
  for (const neighbor of heard) {
    const known = byChassis.get(chassisOf(neighbor));
    if (known === undefined || neighbor.ageSeconds <= known.ageSeconds) byChassis.set(chassisOf(neighbor), neighbor);
  }
  return [...byChassis.values()];
}

/** What tells one switch from another. */
function chassisOf({ chassisIdType, chassisId, sysName }: Neighbor): string {
  return chassisId === '' ? sysName : `${chassisIdType} ${chassisId}`;
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function verdictOf({ sysName, capabilities }: Neighbor, { ownUuid, leafName }: LeafPolicy): Verdict {
  if (sysName.toLowerCase() === ownUuid.toLowerCase()) return Verdict.OWN;
  if (uuidPattern.test(sysName)) return Verdict.MACHINE;
  // A pattern with the g flag would remember where it stopped.
  if (leafName !== undefined) return sysName.search(leafName) < 0 ? Verdict.OTHER_NAME : Verdict.LEAF;
  const enabled = capabilities.filter((capability) => capability.enabled);
  // Some switches fill in only what they could do.
  const able = enabled.length > 0 ? enabled : capabilities;
  return able.length === 0 || able.some(({ type }) => /^(bridge|router)$/i.test(type))
    ? Verdict.LEAF
    : Verdict.NO_SWITCH;
}

/** Empty when the rule holds. */
function whyNot(neighbors: readonly Neighbor[]): string {
  const chassis = new Map<string, Neighbor[]>();
  for (const neighbor of neighbors)
    chassis.set(chassisOf(neighbor), [...(chassis.get(chassisOf(neighbor)) ?? []), neighbor]);
  const count = chassis.size;
  if (count > leafCount) return `heard ${count} leaves instead of ${leafCount}`;
  const nameless = neighbors.find(({ sysName }) => sysName === '');
  if (nameless !== undefined) return `leaf ${nameless.chassisId} sends no system name, by which the API knows leaves`;
  if (count < leafCount) {
    const [ofOne = []] = chassis.values();
    const both = ofOne.length > 1 ? `, ${ofOne.map(({ nic }) => nic).join(' and ')} are at the same one` : '';
    return `heard ${count} of ${leafCount} leaves${both}`;
  }
  const [name, ...otherNames] = new Set(neighbors.map(({ sysName }) => sysName));
  if (otherNames.length === 0) return `both leaves call themselves ${name}`;
  if (otherNames.length >= leafCount) return `${leafCount} leaves go by ${otherNames.length + 1} names`;
  const shared = neighbors.find((one) =>
    neighbors.some((two) => two.nic === one.nic && chassisOf(two) !== chassisOf(one)),
  );
  return shared === undefined ? '' : `${shared.nic} hears both leaves, so something between them carries LLDP on`;
}

function portReport({ name, carrier, driver }: LldpPort, heard: readonly HeardNeighbor[]): PortReport {
  return { name, carrier, heard, text: portText(name, carrier, driver, heard) };
}

function portText(name: string, carrier: boolean, driver: string, heard: readonly HeardNeighbor[]): string {
  if (heard.length > 0) return `${name} hears ${heard.map(heardText).join(' and ')}`;
  if (!carrier) return `${name} has no link`;
  const remedy = firmwareRemedy(name, driver);
  const hint = remedy === undefined ? '' : ` (its firmware may keep it to itself: ${remedy})`;
  return `${name} has a link but hears no LLDP${hint}`;
}

function heardText({ neighbor: { sysName, chassisId, portId }, verdict }: HeardNeighbor): string {
  const who = `${sysName || chassisId} port ${portId}`;
  return verdict === Verdict.LEAF ? who : `${who} (${verdict})`;
}
