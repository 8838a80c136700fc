import { interfaceAddressOf } from '../interface-address.ts';
import { parseConf, printConf, type ConfLine } from './conf-lines.ts';
import type { RunningFrr } from './vtysh.ts';

export interface ConfDifference {
  /** Lines of the file that do not run. */
  readonly missing: readonly ConfLine[];
  /** Lines that run and are not in the file, of those that decide who talks to whom and which routes pass. */
  readonly left: readonly ConfLine[];
}

// Not compared: FRR prints them in other words, on other conditions, or not at all; by the version, also `no fpm …`.
const IGNORED =
  /^(?:frr (?:version|defaults)|hostname|domainname|service|log|debug|password|enable password|agentx|line|banner|username|no fpm|(?:no )?ip(?:v6)? forwarding)\b/;

// A block that FRR prints only when there is something in it.
const OPENERS_THAT_MAY_MISS = /^(?:interface|address-family|vrf|line)\b/;

// FRR adds none of these by itself, so where one runs that the file lacks, it was not withdrawn.
const OWNED: ReadonlyArray<readonly [path: RegExp, line: RegExp]> = [
  [/^$/, /^(?:router bgp |route-map |ip prefix-list |ipv6 prefix-list )/],
  [/^router bgp [^/]*$/, /^neighbor \S+ (?:interface|peer-group|remote-as)\b/],
  [/^router bgp .*\/address-family /, /^neighbor \S+ (?:route-map|prefix-list|activate)\b/],
  [/^router bgp .*\/address-family l2vpn evpn$/, /^advertise/],
  [/^route-map /, /^match /],
  [/^vrf /, /^vni /],
];

// zebra has these as well, and one daemon's are shown like all daemons'.
const SHARED = /^(?:route-map|ip prefix-list|ipv6 prefix-list) /;

/**
 * Route-maps and lists of a file that run, but not in bgpd: it was started again and has not read its configuration. With its route-maps
 * missing it denies every route, and frr-reload sees nothing that it could add.
 */
export function lackingInBgpd(file: string, running: Pick<RunningFrr, 'conf' | 'bgpdConf'>): readonly ConfLine[] {
  const others = new Set(parseConf(running.conf).map(keyOf));
  const own = new Set(parseConf(running.bgpdConf).map(keyOf));
  return parseConf(file).filter(
    (line) => line.path.length === 0 && SHARED.test(line.text) && others.has(keyOf(line)) && !own.has(keyOf(line)),
  );
}

/** Compares a configuration file with the output of `show running-config`. */
export function compareConf(file: string, running: string): ConfDifference {
  const wanted = parseConf(file).filter((line) => !IGNORED.test(line.text));
  const runs = parseConf(running).filter((line) => !IGNORED.test(line.text));
  const wantedKeys = new Set(wanted.map(keyOf));
  const runningKeys = new Set(runs.map(keyOf));
  return {
    missing: wanted.filter(
      (line) => !runningKeys.has(keyOf(line)) && !(line.opens && OPENERS_THAT_MAY_MISS.test(line.text)),
    ),
    left: runs.filter((line) => !wantedKeys.has(keyOf(line)) && isOwned(line)),
  };
}

/**
 * What of a file runs already, as a file: loading it withdraws what the file lacks and adds nothing. Lines that are not
 * compared stay.
 */
export function runningPart(file: string, running: string): string {
  const runningKeys = new Set(parseConf(running).map(keyOf));
  const kept = parseConf(file).filter((line) => IGNORED.test(line.text) || runningKeys.has(keyOf(line)));
  return printConf(kept.filter((line) => !isEmptyVrf(line, kept)));
}

/** The ports with an unnumbered session in the default VRF. */
export function defaultNeighbors(running: string): ReadonlySet<string> {
  const ports = parseConf(running)
    .filter(({ path }) => path.length === 1 && /^router bgp \d+$/.test(path[0] ?? ''))
    .map(({ text }) => /^neighbor (\S+) interface\b/.exec(text)?.[1]);
  return new Set(ports.filter((port) => port !== undefined));
}

function isEmptyVrf(line: ConfLine, lines: readonly ConfLine[]): boolean {
  return line.opens && line.text.startsWith('vrf ') && !lines.some(({ path }) => path[0] === line.text);
}

function isOwned({ path, text }: ConfLine): boolean {
  const place = path.join('/');
  return OWNED.some(([within, line]) => within.test(place) && line.test(text));
}

/** What two spellings of a line have in common. */
function keyOf({ path, text }: ConfLine): string {
  const vrf = /^(ip(?:v6)? route .*?) vrf (\S+)$/.exec(text);
  if (path.length === 0 && vrf !== null) return `vrf ${vrf[2]}\n${spelling(vrf[1] ?? '')}`;
  return [...path, text].map(spelling).join('\n');
}

function spelling(line: string): string {
  // Printed with the VRF only where the device is in it already.
  if (line.startsWith('interface ')) return line.replace(/ vrf \S+$/, '');
  if (!/[:/]/.test(line)) return line;
  const words = line.split(' ').map(addressOf);
  // FRR keeps an IPv6 prefix for one, whatever the command said.
  if (words[1] === 'prefix-list' && words.some((word) => word.startsWith('ipv6='))) words[0] = 'ipv6';
  return words.join(' ');
}

/** An IPv6 address or a prefix by its value, for it can be written in many ways; anything else as it is. */
function addressOf(word: string): string {
  const prefix = /[:/]/.test(word) ? interfaceAddressOf(word) : undefined;
  return prefix === undefined ? word : `${prefix.family}=${prefix.first.toString(16)}/${prefix.length}`;
}
