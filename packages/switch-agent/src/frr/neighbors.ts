import { compareNaturally } from '../ports.ts';

/** The states of RFC 4271 §8.2.2, as the API has them. */
export const BGP_STATES = ['idle', 'connect', 'active', 'open-sent', 'open-confirm', 'established'] as const;
export type BgpState = (typeof BGP_STATES)[number];

/** One BGP neighbour, fit for a heartbeat: every name has 2 to 128 characters. */
export interface BgpNeighbor {
  /** What FRR calls it: the port of an unnumbered session, else an address. */
  readonly key: string;
  readonly vrf: string;
  /** The host name that the other side has sent; `unknown` as long as it has sent none. */
  readonly neighbor: string;
  /** `unknown` for a neighbour without one. */
  readonly peerGroup: string;
  readonly state: BgpState;
  /** Milliseconds since the epoch; 0 unless established. The API's server needs one. */
  readonly establishedAtMs: number;
  /** Over IPv4 and IPv6 unicast. */
  readonly sentPrefixes: number;
  /** Over IPv4 and IPv6 unicast. */
  readonly acceptedPrefixes: number;
}

/** FRR's neighbours, or why its answer could not be read. */
export type BgpNeighbors =
  | { readonly ok: true; readonly neighbors: readonly BgpNeighbor[] }
  | { readonly ok: false; readonly reason: string };

const UNKNOWN = 'unknown';
// The API's rule for names.
const MIN_NAME = 2;
const MAX_NAME = 128;
// The last second that a protobuf Timestamp can hold: 9999-12-31T23:59:59Z.
const TIMESTAMP_END = 253_402_300_799;

// `Clearing` and `Deleted` are states of FRR's own, in which a session is on its way to Idle.
const STATES: ReadonlyMap<unknown, BgpState> = new Map<unknown, BgpState>([
  ['Idle', 'idle'],
  ['Connect', 'connect'],
  ['Active', 'active'],
  ['OpenSent', 'open-sent'],
  ['OpenConfirm', 'open-confirm'],
  ['Established', 'established'],
  ['Clearing', 'idle'],
  ['Deleted', 'idle'],
]);

/**
 * The families that are counted; the second spelling is Cumulus's. EVPN is not, as in the Go agent: the figures of a
 * rack with both agents must mean the same, and one machine's prefix would count once as a prefix and again as a route.
 */
const COUNTED_FAMILIES = ['ipv4Unicast', 'ipv6Unicast', 'IPv4 Unicast', 'IPv6 Unicast'];

/**
 * Reads the output of `show bgp vrf all neighbors json`: VRF → (`vrfId`, `vrfName`, neighbour → what is known of it).
 * Part of it comes from the other side of a session, so every field may be missing or nonsense; such a field is as if
 * it were not there.
 */
export function parseBgpNeighbors(output: string): BgpNeighbors {
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
  } catch {
    const start = JSON.stringify(output.trim().slice(0, 60).toWellFormed());
    return { ok: false, reason: `FRR's list of BGP neighbours is not JSON: it starts with ${start}` };
  }
  if (!isObject(parsed)) return { ok: false, reason: "FRR's list of BGP neighbours is not an object" };
  const neighbors: BgpNeighbor[] = [];
  for (const [vrfKey, vrf] of Object.entries(parsed)) {
    if (!isObject(vrf)) continue;
    const vrfName = apiName(vrf['vrfName']) ?? apiName(vrfKey) ?? UNKNOWN;
    for (const [key, neighbor] of Object.entries(vrf)) {
      if (isObject(neighbor)) neighbors.push(readNeighbor(key, vrfName, neighbor));
    }
  }
  return { ok: true, neighbors };
}

/**
 * The neighbour of each port, for the heartbeat's map. A port that is a neighbour in two VRFs (it has just moved, and
 * the old one lingers) is given by the session that is established, or else by the first VRF in natural order.
 */
export function neighborsByPort(neighbors: readonly BgpNeighbor[]): ReadonlyMap<string, BgpNeighbor> {
  const byPort = new Map<string, BgpNeighbor>();
  for (const neighbor of neighbors.toSorted((a, b) => compareNaturally(a.vrf, b.vrf))) {
    const other = byPort.get(neighbor.key);
    if (other === undefined || (other.state !== 'established' && neighbor.state === 'established')) {
      byPort.set(neighbor.key, neighbor);
    }
  }
  return byPort;
}

type Fields = Readonly<Record<string, unknown>>;

function readNeighbor(key: string, vrf: string, fields: Fields): BgpNeighbor {
  const state = STATES.get(fields['bgpState']) ?? 'idle';
  const families = isObject(fields['addressFamilyInfo']) ? fields['addressFamilyInfo'] : {};
  return {
    key,
    vrf,
    neighbor: apiName(fields['hostname']) ?? UNKNOWN,
    peerGroup: apiName(fields['peerGroup']) ?? UNKNOWN,
    state,
    establishedAtMs: state === 'established' ? count(fields['bgpTimerUpEstablishedEpoch'], TIMESTAMP_END) * 1000 : 0,
    sentPrefixes: sum(families, 'sentPrefixCounter'),
    acceptedPrefixes: sum(families, 'acceptedPrefixCounter'),
  };
}

function sum(families: Fields, counter: string): number {
  let total = 0;
  for (const name of COUNTED_FAMILIES) {
    const family = families[name];
    // A prefix counter of BGP has 32 bits.
    if (isObject(family)) total += count(family[counter], 0xff_ff_ff_ff);
  }
  return total;
}

function count(value: unknown, max: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max ? value : 0;
}

/** A name that the API takes; undefined when there is none, or one that is too short. */
function apiName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  // Half a surrogate pair cannot be sent in protobuf. Code points are what the API counts.
  const name = Array.from(value.toWellFormed()).slice(0, MAX_NAME);
  return name.length < MIN_NAME ? undefined : name.join('');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
