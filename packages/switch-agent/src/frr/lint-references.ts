import type { ConfLine } from './conf-lines.ts';
import type { Complain, LintRule } from './lint.ts';
import { routeMapEntries } from './route-map-entries.ts';

/** What a line may refer to by name. */
type Kind = 'route-map' | 'ip prefix-list' | 'ipv6 prefix-list' | 'community list' | 'as-path list' | 'access list';

const DEFINITIONS: ReadonlyArray<readonly [Kind, RegExp]> = [
  ['route-map', /^route-map (\S+) (?:permit|deny) /],
  ['ip prefix-list', /^ip prefix-list (\S+) .*(?:any|\.\d+\/\d+)/],
  ['ipv6 prefix-list', /^ipv6 prefix-list (\S+) .*(?:any|:\S*\/\d+)/],
  // FRR keeps an IPv6 prefix for one, whatever the command said; its "any" is IPv4's.
  ['ipv6 prefix-list', /^ip prefix-list (\S+) .*:\S*\/\d+/],
  [
    'community list',
    /^bgp (?:ext|large-)?community-list (?:(?:standard|expanded) )?(\S+) (?:seq \d+ )?(?:permit|deny) /,
  ],
  ['as-path list', /^bgp as-path access-list (\S+) /],
  ['access list', /^(?:ip(?:v6)? )?access-list (\S+) /],
];

// Within `route-map`: how it refers to others.
const MATCHES: ReadonlyArray<readonly [Kind, RegExp]> = [
  ['ip prefix-list', /^match ip \S+ prefix-list (\S+)$/],
  ['ipv6 prefix-list', /^match ipv6 \S+ prefix-list (\S+)$/],
  ['access list', /^match ip(?:v6)? address (?!prefix-)(\S+)$/],
  ['community list', /^match (?:ext|large-)?community (\S+)/],
  ['as-path list', /^match as-path (\S+)/],
  ['route-map', /^call (\S+)$/],
];

const MAP_WORDS = /\b(?:route-map|table-map|unsuppress-map|advertise-map|exist-map|non-exist-map|suppress-map) (\S+)/g;
const FILTER = /^neighbor \S+ (prefix-list|filter-list|distribute-list) (\S+) (?:in|out)$/;

/**
 * Names that nothing defines. FRR takes them: an undefined route-map denies everything, an undefined list matches
 * nothing or everything, by the place.
 */
export const lintReferences: LintRule = (lines, complain) => {
  const defined = new Set<string>();
  for (const line of lines) {
    for (const [kind, pattern] of DEFINITIONS) {
      const name = pattern.exec(line.text)?.[1];
      if (name !== undefined) defined.add(`${kind} ${name}`);
    }
  }
  for (const line of lines) {
    for (const [kind, name] of references(line)) {
      if (!defined.has(`${kind} ${name}`))
        complain(line, `there is no ${kind} "${name}"; define it, or correct the name`);
    }
  }
  lintFamilies(lines, complain);
};

function* references(line: ConfLine): Generator<readonly [Kind, string]> {
  const outer = line.path[0] ?? '';
  if (outer.startsWith('route-map ')) {
    for (const [kind, pattern] of MATCHES) {
      const name = pattern.exec(line.text)?.[1];
      if (name !== undefined) yield [kind, name];
    }
    return;
  }
  if (!(outer.startsWith('router ') || /^ip(?:v6)? protocol /.test(line.text)) || isProse(line)) return;
  for (const [, name = ''] of line.text.matchAll(MAP_WORDS)) yield ['route-map', name];
  const [, filter, name] = FILTER.exec(line.text) ?? [];
  if (filter === undefined || name === undefined) return;
  if (filter === 'prefix-list') yield [familyOf(line) === 'ipv6' ? 'ipv6 prefix-list' : 'ip prefix-list', name];
  else yield [filter === 'filter-list' ? 'as-path list' : 'access list', name];
}

/** A map for incoming routes of one family that lets only those of the other one pass. */
function lintFamilies(lines: readonly ConfLine[], complain: Complain): void {
  const entries = Map.groupBy(routeMapEntries(lines), ({ name }) => name);
  for (const line of lines) {
    const name = /^neighbor \S+ route-map (\S+) in$/.exec(line.text)?.[1];
    const family = familyOf(line);
    if (name === undefined || family === undefined) continue;
    const other = family === 'ipv4' ? 'ipv6' : 'ip';
    const permits = (entries.get(name) ?? []).filter(({ action }) => action === 'permit');
    const blind = permits.every((entry) => entry.lines.some(({ text }) => text.startsWith(`match ${other} address`)));
    if (permits.length > 0 && blind) {
      complain(
        line,
        `route-map "${name}" only lets ${other === 'ip' ? 'IPv4' : 'IPv6'} pass, so every ${family} route is lost`,
      );
    }
  }
}

/** The family of a line's block of BGP; undefined outside of one, and where it is not about unicast routes. */
function familyOf(line: ConfLine): 'ipv4' | 'ipv6' | undefined {
  if (line.path[0]?.startsWith('router bgp ') !== true) return undefined;
  if (line.path.length === 1) return 'ipv4';
  return /^address-family (ipv[46])(?: unicast)?$/.exec(line.path[1] ?? '')?.[1] === 'ipv6'
    ? 'ipv6'
    : line.path[1]?.startsWith('address-family ipv4') === true
      ? 'ipv4'
      : undefined;
}

function isProse(line: ConfLine): boolean {
  return /^(?:neighbor \S+ )?description /.test(line.text);
}
