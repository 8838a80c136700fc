import type { LogLevel } from '@ingot/daemon';
import type { FabricModel, FirewallPort, TenantVrf } from '../fabric-model.ts';
import { inFilter, ofFamily, vniFilter, type Lines } from './filters.ts';
import type { RenderSettings } from './settings.ts';

// A spine or a machine that is gone is noticed within 8 seconds.
const TIMERS = 'timers 2 8';
// Machines and firewalls hang on two leaves of one AS path: their own AS may come back once or twice.
const OWN_AS = 'allowas-in 2';
// What bounds the memory that one machine can take.
const MAXIMUM_PREFIXES = 24_000;

const SYSLOG: Readonly<Record<LogLevel, string>> = {
  debug: 'debugging',
  info: 'informational',
  warn: 'warnings',
  error: 'errors',
};

// As `show running-config` prints them.
const DEBUG: Lines = [
  'debug zebra events',
  'debug zebra nht detailed',
  'debug zebra rib detailed',
  'debug zebra nexthop detail',
  'debug bgp nht',
  'debug bgp update-groups',
  'debug bgp updates in',
  'debug bgp updates out',
  'debug bgp zebra',
];

/** The lines before everything else. They set no password: the daemons are spoken to over their unix sockets. */
export function head(model: FabricModel, settings: RenderSettings): Lines {
  return [
    'frr defaults datacenter',
    `hostname ${model.hostname}`,
    `log syslog ${SYSLOG[model.logLevel]}`,
    'log facility local4',
    ...(settings.snmp ? ['agentx'] : []),
    // SONiC 202411 and later: its start script appends these two, and without them no route reaches the ASIC.
    ...(settings.fpm ? ['fpm address 127.0.0.1', 'no fpm use-next-hop-groups'] : []),
    ...(model.logLevel === 'debug' ? DEBUG : []),
    '!',
  ];
}

/**
 * Nothing for a VRF without a VNI: it is there by its device. And frr-reload does not close an empty block, so that the
 * static routes which come next would end up in that VRF.
 */
export function vrfSection({ name, vni }: { readonly name: string; readonly vni?: number | undefined }): Lines {
  return vni === undefined ? [] : [`vrf ${name}`, ` vni ${vni}`, 'exit-vrf', '!'];
}

export function portSection(port: string, vrf?: string): Lines {
  return [
    `interface ${port}${vrf === undefined ? '' : ` vrf ${vrf}`}`,
    ' ipv6 nd ra-interval 6',
    ' no ipv6 nd suppress-ra',
    'exit',
    '!',
  ];
}

export function managementRoutes(model: FabricModel, settings: RenderSettings): Lines {
  const lines = model.managementRoutes.map(
    ({ prefix, gateway }) =>
      `${prefix.includes(':') ? 'ipv6' : 'ip'} route ${prefix} ${gateway} nexthop-vrf ${settings.managementVrf}`,
  );
  return lines.length === 0 ? [] : [...lines, '!'];
}

/** The lists and maps of all ports and VRFs. They come before what uses them, so that no session starts without. */
export function policySection(model: FabricModel, settings: RenderSettings): Lines {
  const firewalls = model.firewalls.map(({ port, cidrs, vnis }) => {
    const filters = [inFilter(`fw-${port}`, 'ipv4', cidrs), inFilter(`fw-${port}`, 'ipv6', cidrs)];
    return { filters, maps: [...filters.flatMap(({ maps }) => maps), ...vniFilter(`fw-${port}`, vnis).maps] };
  });
  const tenants = model.vrfs.map((vrf) => {
    const filters = [
      inFilter(vrf.name, 'ipv4', vrf.cidrs),
      ...(has(vrf, 'ipv6') ? [inFilter(vrf.name, 'ipv6', vrf.cidrs)] : []),
    ];
    return { filters, maps: filters.flatMap(({ maps }) => maps) };
  });
  const lists = [...firewalls, ...tenants].flatMap(({ filters }) => filters.flatMap((filter) => filter.lists));
  return [
    ...lists,
    ...(lists.length === 0 ? [] : ['!']),
    'route-map DENY_MGMT deny 10',
    ` match interface ${settings.managementInterface}`,
    'exit',
    '!',
    'route-map DENY_MGMT permit 20',
    'exit',
    '!',
    ...[...firewalls, ...tenants].flatMap(({ maps }) => maps),
    ...(model.setSourceLoopback ? ['route-map RM_SET_SRC permit 10', ` set src ${model.loopback}`, 'exit', '!'] : []),
  ];
}

/** BGP of the default VRF: spines and firewalls, EVPN. */
export function underlaySection(model: FabricModel, settings: RenderSettings): Lines {
  const firewalls = model.firewalls.map(({ port }) => port);
  const unicast = (family: 'ipv4' | 'ipv6', filter: (firewall: FirewallPort) => string): Lines => [
    ` address-family ${family} unicast`,
    '  redistribute kernel route-map DENY_MGMT',
    '  redistribute connected route-map DENY_MGMT',
    ...(family === 'ipv6' && settings.ipv6Underlay ? ['  neighbor FABRIC activate'] : []),
    ...(family === 'ipv6' ? ['  neighbor FIREWALL activate'] : []),
    `  neighbor FIREWALL ${OWN_AS}`,
    ...model.firewalls.map((firewall) => `  neighbor ${firewall.port} route-map ${filter(firewall)} in`),
    ' exit-address-family',
    ' !',
  ];
  return [
    `router bgp ${model.asn}`,
    ` bgp router-id ${model.loopback}`,
    ' bgp bestpath as-path multipath-relax',
    ...peerGroup('FABRIC'),
    ...peerGroup('FIREWALL'),
    ...model.uplinks.map((port) => ` neighbor ${port} interface peer-group FABRIC`),
    ...firewalls.map((port) => ` neighbor ${port} interface peer-group FIREWALL`),
    ' !',
    ...unicast('ipv4', ({ port, cidrs }) => inFilter(`fw-${port}`, 'ipv4', cidrs).routeMap),
    ...unicast('ipv6', ({ port, cidrs }) => inFilter(`fw-${port}`, 'ipv6', cidrs).routeMap),
    ' address-family l2vpn evpn',
    '  neighbor FABRIC activate',
    `  neighbor FABRIC ${OWN_AS}`,
    '  neighbor FIREWALL activate',
    `  neighbor FIREWALL ${OWN_AS}`,
    ...model.firewalls.map(
      ({ port, vnis }) => `  neighbor ${port} route-map ${vniFilter(`fw-${port}`, vnis).routeMap} out`,
    ),
    '  advertise-all-vni',
    ' exit-address-family',
    'exit',
    '!',
  ];
}

/**
 * BGP of a tenant's VRF. IPv4 is always there, for a BGP session needs a family and this is the one that FRR activates
 * by itself; without IPv4 prefixes nothing gets in and nothing is advertised.
 */
export function tenantSection(model: FabricModel, vrf: TenantVrf): Lines {
  const family = (name: 'ipv4' | 'ipv6'): Lines => {
    const used = has(vrf, name);
    if (!used && name === 'ipv6') return [];
    return [
      ` address-family ${name} unicast`,
      ...(used ? ['  redistribute connected'] : []),
      ...(name === 'ipv6' ? ['  neighbor MACHINE activate'] : []),
      `  neighbor MACHINE maximum-prefix ${MAXIMUM_PREFIXES}`,
      `  neighbor MACHINE route-map ${inFilter(vrf.name, name, vrf.cidrs).routeMap} in`,
      ' exit-address-family',
      ' !',
    ];
  };
  const advertised = (['ipv4', 'ipv6'] as const).filter((name) => has(vrf, name));
  return [
    `router bgp ${model.asn} vrf ${vrf.name}`,
    ` bgp router-id ${model.loopback}`,
    ' bgp bestpath as-path multipath-relax',
    ...peerGroup('MACHINE'),
    ...vrf.ports.map((port) => ` neighbor ${port} interface peer-group MACHINE`),
    ' !',
    ...family('ipv4'),
    ...family('ipv6'),
    ...(advertised.length === 0
      ? []
      : [
          ' address-family l2vpn evpn',
          ...advertised.map((name) => `  advertise ${name} unicast`),
          ' exit-address-family',
        ]),
    'exit',
    '!',
  ];
}

function peerGroup(name: string): Lines {
  return [` neighbor ${name} peer-group`, ` neighbor ${name} remote-as external`, ` neighbor ${name} ${TIMERS}`];
}

function has(vrf: TenantVrf, family: 'ipv4' | 'ipv6'): boolean {
  return ofFamily(vrf.cidrs, family).length > 0;
}
