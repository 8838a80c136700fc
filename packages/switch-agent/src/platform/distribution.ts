/** What differs between the builds of SONiC that a configuration is made for. Names as `--distribution` takes them. */
export interface Distribution {
  readonly name: DistributionName;
  /** Where `lldp_hello_time` goes: a row of LLDP and its field. */
  readonly lldp: { readonly key: string; readonly field: string };
  /** SAG and VLAN_INTERFACE.static_anycast_gateway. */
  readonly sag: boolean;
  /** VRRP_INTERFACE. */
  readonly vrrp: boolean;
  /** PORT.subport. */
  readonly subport: boolean;
  /** Whether it turns on RS-FEC by itself for ports of 50 Gbit/s and more per lane (portconfig.py). */
  readonly fecByLaneSpeed: boolean;
  /** The lowest VLAN: `Vlan1` crashes community's orchagent (sonic-buildimage #9946), and its model refuses it. */
  readonly lowestVlan: 1 | 2;
  /** PORTCHANNEL.mix_speed. */
  readonly mixSpeed: boolean;
  /** MCLAG_DOMAIN.mclag_system_id. */
  readonly mclagSystemId: boolean;
  readonly routingModes: readonly RoutingMode[];
}

export const ROUTING_MODES = ['separated', 'unified', 'split', 'split-unified'] as const;
export type RoutingMode = (typeof ROUTING_MODES)[number];

export const DISTRIBUTION_NAMES = [
  'community-202311',
  'community-202405',
  'community-202411',
  'community-202505',
  'community-202511',
  'edgecore-202111',
  'edgecore-202211',
  'dell-enterprise',
] as const;
export type DistributionName = (typeof DISTRIBUTION_NAMES)[number];

const COMMUNITY = {
  lldp: { key: 'GLOBAL', field: 'hello_time' },
  // The model came in April 2025.
  sag: false,
  vrrp: false,
  subport: true,
  fecByLaneSpeed: true,
  lowestVlan: 2,
  mixSpeed: false,
  mclagSystemId: false,
  routingModes: ROUTING_MODES,
} as const;

const EDGECORE = {
  ...COMMUNITY,
  subport: false,
  mixSpeed: true,
  mclagSystemId: true,
} as const;

const DISTRIBUTIONS: Readonly<Record<DistributionName, Omit<Distribution, 'name'>>> = {
  'community-202311': COMMUNITY,
  'community-202405': COMMUNITY,
  'community-202411': COMMUNITY,
  'community-202505': { ...COMMUNITY, sag: true },
  'community-202511': { ...COMMUNITY, sag: true },
  'edgecore-202111': {
    ...EDGECORE,
    lldp: { key: 'Global', field: 'hello_timer' },
    vrrp: true,
    fecByLaneSpeed: false,
    lowestVlan: 1,
    routingModes: ['separated', 'unified', 'split'],
  },
  'edgecore-202211': { ...EDGECORE, sag: true },
  // Its own tables for anycast gateways and VRRP (SAG_GLOBAL, VRRP) are other ones, and not written here.
  'dell-enterprise': { ...COMMUNITY, subport: false },
};

/** What is known of a distribution. */
export function distributionOf(name: DistributionName): Distribution {
  return { name, ...DISTRIBUTIONS[name] };
}

/** The fields of `sonic_version.yml` that tell the builds apart. */
export interface SonicBuild {
  readonly branch?: string | undefined;
  readonly release?: string | undefined;
  readonly buildVersion?: string | undefined;
}

/**
 * The distribution of a build: the nearest known one that is not newer than it; undefined when nothing in the file says.
 * Edgecore's branches are `ec202111`, `ec202211_ecsonic` and so on; Dell's build versions have the word Enterprise.
 */
export function detectDistribution(build: SonicBuild): DistributionName | undefined {
  const texts = [build.branch, build.release, build.buildVersion].filter((text) => text !== undefined);
  if (texts.some((text) => /enterprise/i.test(text))) return 'dell-enterprise';
  for (const text of texts) {
    const match = /(ec|edgecore\D*)?(20[2-9]\d(?:0[1-9]|1[0-2]))(?!\d)/i.exec(text);
    if (match === null) continue;
    return newestUpTo(match[1] === undefined ? 'community-' : 'edgecore-', match[2] ?? '');
  }
  return texts.some((text) => /\bmaster\b/.test(text)) ? DISTRIBUTION_NAMES[4] : undefined;
}

function newestUpTo(vendor: string, release: string): DistributionName | undefined {
  const known = DISTRIBUTION_NAMES.filter((name) => name.startsWith(vendor));
  return known.findLast((name) => name.slice(vendor.length) <= release) ?? known[0];
}
