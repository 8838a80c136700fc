import { pathText } from '@ingot/daemon';
import type { Generation } from './generate.ts';
import type { Path } from './report.ts';

/** Something that makes a port its own. */
interface Claim {
  readonly kind: 'channel' | 'vlan' | 'router' | 'subinterface';
  /** `PortChannel01`, `Vlan4000`; what the words call it. */
  readonly master: string;
  readonly untagged: boolean;
  readonly path: Path;
}

/**
 * A port has one master: a member of a port channel is nothing else, a router port is in no VLAN (orchagent crashes when
 * one is both), and no port is untagged in two VLANs.
 */
export function checkMasters({ config, report }: Generation): void {
  for (const [port, claims] of claimsOf(config)) {
    const channel = claims.find(({ kind }) => kind === 'channel');
    const router = claims.find(({ kind }) => kind === 'router');
    const untagged = claims.find((claim) => claim.untagged);
    for (const claim of claims) {
      if (channel !== undefined && claim !== channel) {
        report.problem(
          claim.path,
          `${port} is a member of ${channel.master} and can be nothing else; take it out of one`,
        );
      } else if (claim.kind === 'vlan' && router !== undefined) {
        report.problem(claim.path, `${port} is a router port (${pathText(router.path)}) and can be in no VLAN`);
      } else if (claim.untagged && untagged !== undefined && claim !== untagged) {
        report.problem(claim.path, `${port} is untagged in ${untagged.master} already; write it under tagged_ports`);
      }
    }
  }
}

function claimsOf(config: Generation['config']): ReadonlyMap<string, readonly Claim[]> {
  const claims = new Map<string, Claim[]>();
  const claim = (kind: Claim['kind'], master: string, port: string, path: Path, untagged = false): void => {
    claims.set(port, [...(claims.get(port) ?? []), { kind, master, path, untagged }]);
  };
  for (const [index, { number, members = [] }] of (config.portchannels?.list ?? []).entries()) {
    for (const [position, port] of members.entries()) {
      claim('channel', `PortChannel${number}`, port, ['portchannels', 'list', index, 'members', position]);
    }
  }
  for (const [index, { name, vrf, ips = [] }] of (config.ports?.list ?? []).entries()) {
    if (vrf !== undefined || ips.length > 0) claim('router', 'the router', name, ['ports', 'list', index]);
  }
  for (const [index, port] of (config.bgp_ports ?? []).entries())
    claim('router', 'the router', port, ['bgp_ports', index]);
  for (const [key, { unnumbered_interfaces: ports = [] }] of Object.entries(config.interconnects ?? {})) {
    for (const [position, port] of ports.entries()) {
      claim('router', 'the router', port, ['interconnects', key, 'unnumbered_interfaces', position]);
    }
  }
  for (const [index, { port, vlan }] of (config.vlan_subinterfaces ?? []).entries()) {
    claim('subinterface', `VLAN ${vlan}`, port, ['vlan_subinterfaces', index, 'port']);
  }
  for (const [index, { id, tagged_ports: tagged = [], untagged_ports: untagged = [] }] of (
    config.vlans ?? []
  ).entries()) {
    for (const [position, port] of tagged.entries()) {
      claim('vlan', `Vlan${id}`, port, ['vlans', index, 'tagged_ports', position]);
    }
    for (const [position, port] of untagged.entries()) {
      claim('vlan', `Vlan${id}`, port, ['vlans', index, 'untagged_ports', position], true);
    }
  }
  return claims;
}
