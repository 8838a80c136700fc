/** Lines of `frr.conf`. */
export type Lines = readonly string[];

/** IPv4 and IPv6 as FRR's commands name them. */
export const FAMILIES = {
  ipv4: { prefixList: 'ip prefix-list', match: 'ip address', longest: 32, suffix: 'in' },
  ipv6: { prefixList: 'ipv6 prefix-list', match: 'ipv6 address', longest: 128, suffix: 'in6' },
} as const;
export type Family = keyof typeof FAMILIES;

/** The prefixes of one family, in their order. */
export function ofFamily(cidrs: readonly string[], family: Family): readonly string[] {
  return cidrs.filter((cidr) => cidr.includes(':') === (family === 'ipv6'));
}

/** A filter for the routes of one family from a port or a VRF's machines. */
export interface InFilter {
  readonly routeMap: string;
  readonly lists: Lines;
  readonly maps: Lines;
}

/**
 * Lets in the given prefixes and what is more specific, and nothing else. Without a prefix it denies everything, in so
 * many words: FRR also denies everything by a route-map that is not defined, but what keeps a tenant from announcing
 * the routes of another should not hang on that.
 */
export function inFilter(owner: string, family: Family, cidrs: readonly string[]): InFilter {
  const { prefixList, match, longest, suffix } = FAMILIES[family];
  const routeMap = `${owner}-${suffix}`;
  const list = `${routeMap}-prefixes`;
  const prefixes = ofFamily(cidrs, family);
  if (prefixes.length === 0) return { routeMap, lists: [], maps: [`route-map ${routeMap} deny 10`, 'exit', '!'] };
  return {
    routeMap,
    // 5, 10, 15, ... are the numbers that FRR gives to entries without one: taking over a switch changes nothing.
    lists: prefixes.map((cidr, index) => `${prefixList} ${list} seq ${(index + 1) * 5} permit ${cidr} le ${longest}`),
    maps: [`route-map ${routeMap} permit 10`, ` match ${match} prefix-list ${list}`, 'exit', '!'],
  };
}

/** The EVPN routes that a firewall is told: those of its VNIs; without one, none. */
export function vniFilter(owner: string, vnis: readonly number[]): { readonly routeMap: string; readonly maps: Lines } {
  const routeMap = `${owner}-vni`;
  if (vnis.length === 0) return { routeMap, maps: [`route-map ${routeMap} deny 10`, 'exit', '!'] };
  // An entry each: two `match evpn vni` in one entry cancel each other out, and the entry lets everything pass.
  const maps = vnis.flatMap((vni, index) => [
    `route-map ${routeMap} permit ${10 + index}`,
    ` match evpn vni ${vni}`,
    'exit',
    '!',
  ]);
  return { routeMap, maps };
}
