import {
  compactIpPrefixes,
  compareIpPrefixes,
  formatIpPrefix,
  type IpPrefix,
  parseInterfaceAddress,
} from '@ingot/wire';
import type { DesiredNic, DesiredSwitch } from '../api.ts';
import type { FirewallPort, ManagementRoute } from '../fabric-model.ts';
import { compareNaturally } from '../ports.ts';

/** What the configuration of the leaf adds to the API's wishes. */
export interface LeafConfig {
  readonly uplinks: readonly string[];
  /** Left alone altogether. */
  readonly additionalBridgePorts: readonly string[];
  readonly pxeVlanId: number;
  readonly asn: number;
  readonly loopback: string;
  readonly setSourceLoopback: boolean;
  readonly managementRoutes: readonly ManagementRoute[];
}

/** What goes wrong with one port or one VRF and leaves the others alone. */
export interface Problem {
  /** The port or the VRF: `Ethernet0`, `Vrf104001`. */
  readonly subject: string;
  readonly reason: string;
}

export type AdminStatus = 'up' | 'down';

/** A tenant's VRF before it has a VLAN on this switch. */
export interface TenantWish {
  /** `Vrf<vni>`. */
  readonly name: string;
  readonly vni: number;
  readonly ports: readonly string[];
  readonly cidrs: readonly string[];
}

/** What is wanted of the switch, by SONiC's port names; no port is in two roles. */
export interface Wishes {
  readonly uplinks: readonly string[];
  readonly unprovisioned: readonly string[];
  readonly firewalls: readonly FirewallPort[];
  readonly tenants: readonly TenantWish[];
  /** The ports whose administrative status is somebody's wish; the others keep theirs. */
  readonly admin: ReadonlyMap<string, AdminStatus>;
  readonly problems: readonly Problem[];
}

// As metal-stack names a tenant's VRF. Linux takes 15 characters for a device, and 2^24-1 is the last VNI.
const TENANT_VRF = /^vrf([1-9]\d{0,7})$/;
const LAST_VNI = 2 ** 24 - 1;
const MISSING_PORT =
  'CONFIG_DB has no PORT row for it, but the API knows it: correct the breakout, or take the nic out of the API';

export interface WishesOptions {
  readonly desired: DesiredSwitch;
  readonly leaf: LeafConfig;
  /** The SONiC port behind a nic of the API's; undefined when there is none. */
  readonly portOf: (nicName: string) => string | undefined;
  /** The administrative states that were asked for before, by port: the API forgets its wish once it is fulfilled. */
  readonly stickyAdmin: ReadonlyMap<string, AdminStatus>;
}

/**
 * Sorts the API's nics into roles, in the order that metal-stack's own agent has: uplinks first, whatever the API says
 * of their VRF, then the administrative status, then the ports that are left alone, then the VRF.
 */
export function wishesOf(options: WishesOptions): Wishes {
  const { desired, leaf } = options;
  const uplinks = new Set(leaf.uplinks);
  const untouched = new Set(leaf.additionalBridgePorts);
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const admin = new Map<string, AdminStatus>();
  const unprovisioned: string[] = [];
  const firewalls: FirewallPort[] = [];
  const tenants = new Map<number, { readonly ports: string[]; readonly prefixes: IpPrefix[] }>();

  for (const nic of desired.nics) {
    const port = options.portOf(nic.name);
    if (port === undefined) {
      problems.push({ subject: nic.name, reason: MISSING_PORT });
      continue;
    }
    if (seen.has(port)) {
      problems.push({ subject: port, reason: 'the API has two nics for it; the first one counts' });
      continue;
    }
    seen.add(port);
    if (uplinks.has(port)) continue;
    const status = nic.state ?? options.stickyAdmin.get(port);
    if (status !== undefined) admin.set(port, status);
    if (untouched.has(port)) continue;
    if (nic.vrf === undefined || nic.vrf === '') {
      unprovisioned.push(port);
      continue;
    }
    const role = nic.vrf === 'default' ? 'firewall' : vniOf(nic.vrf);
    if (role === undefined) {
      problems.push({ subject: port, reason: unknownVrf(nic.vrf) });
      continue;
    }
    const bad = (what: string): number => problems.push({ subject: port, reason: what });
    const prefixes = readPrefixes(nic, bad);
    if (role === 'firewall') {
      firewalls.push({
        port,
        cidrs: [...new Set(prefixes.toSorted(compareIpPrefixes).map(formatIpPrefix))],
        vnis: readVnis(nic, bad),
      });
    } else {
      const tenant = tenants.get(role) ?? { ports: [], prefixes: [] };
      tenants.set(role, tenant);
      tenant.ports.push(port);
      tenant.prefixes.push(...prefixes);
    }
  }
  return {
    uplinks: [...uplinks].toSorted(compareNaturally),
    unprovisioned: unprovisioned.toSorted(compareNaturally),
    firewalls: firewalls.toSorted((a, b) => compareNaturally(a.port, b.port)),
    tenants: [...tenants]
      .toSorted(([a], [b]) => a - b)
      .map(([vni, { ports, prefixes }]) => ({
        name: `Vrf${vni}`,
        vni,
        ports: ports.toSorted(compareNaturally),
        // All machines of a VRF have one filter; while it changes, one of them may still have the old one.
        cidrs: compactIpPrefixes(prefixes).map(formatIpPrefix),
      })),
    admin,
    problems,
  };
}

function vniOf(vrf: string): number | undefined {
  const vni = Number(TENANT_VRF.exec(vrf)?.[1] ?? Number.NaN);
  return vni <= LAST_VNI ? vni : undefined;
}

function readPrefixes(nic: DesiredNic, bad: (what: string) => void): readonly IpPrefix[] {
  return (nic.filter?.cidrs ?? []).flatMap((text) => {
    // Host bits are cleared, as FRR does.
    const prefix = parseInterfaceAddress(text);
    if (!prefix.ok) bad(`the API's filter has ${JSON.stringify(text)}, which is no prefix; left out`);
    return prefix.ok ? [prefix.value] : [];
  });
}

function readVnis(nic: DesiredNic, bad: (what: string) => void): readonly number[] {
  const vnis = (nic.filter?.vnis ?? []).flatMap((text) => {
    const vni = /^[1-9]\d{0,7}$/.test(text) ? Number(text) : LAST_VNI + 1;
    if (vni <= LAST_VNI) return [vni];
    bad(`the API's filter has the VNI ${JSON.stringify(text)}, which is none of 1 to ${LAST_VNI}; left out`);
    return [];
  });
  return [...new Set(vnis)].toSorted((a, b) => a - b);
}

function unknownVrf(vrf: string): string {
  return `the API wants it in the VRF ${JSON.stringify(vrf)}; only "", "default" and "vrf<VNI>" (1 to ${LAST_VNI}) are known, so the port stays as it is`;
}
