import { compareIpPrefixes, type InterfaceAddress, ipRangesOverlap } from '@ingot/wire';
import { codeOrder } from '../config-db/natural-order.ts';
import type { Generation } from './generate.ts';
import { subinterfaceName } from './interfaces.ts';
import { interfaceAddressOf } from '../interface-address.ts';
import type { Path } from './report.ts';

/** An address of an interface, and the block that its mask spans. */
interface Held {
  readonly owner: string;
  readonly text: string;
  readonly path: Path;
  /** Addresses of different VRFs and families never meet. */
  readonly space: string;
  readonly prefix: InterfaceAddress;
}

/** Reports addresses that two interfaces of one VRF have, and subnets that overlap. */
export function checkAddresses({ config, tables, report }: Generation): void {
  const { INTERFACE: interfaces = {} } = tables.toConfigDb();
  const held: Held[] = [];
  const hold = (owner: string, vrf: string | undefined, text: string, path: Path): void => {
    const parsed = heldOf(owner, vrf ?? 'default', text, path);
    if (parsed !== undefined) held.push(parsed);
  };
  if (config.loopback_address !== undefined)
    hold('Loopback0', undefined, config.loopback_address, ['loopback_address']);
  if (config.mgmt_interface?.ip !== undefined) {
    hold('eth0', config.mgmt_vrf === true ? 'mgmt' : undefined, config.mgmt_interface.ip, ['mgmt_interface', 'ip']);
  }
  for (const [index, { name, vrf, ips = [] }] of (config.ports?.list ?? []).entries()) {
    // An interconnect may have put it into a VRF.
    const bound = interfaces[name]?.['vrf_name'] ?? vrf;
    for (const [position, ip] of ips.entries()) {
      hold(name, typeof bound === 'string' ? bound : undefined, ip, ['ports', 'list', index, 'ips', position]);
    }
  }
  for (const [index, { id, ip, vrf }] of (config.vlans ?? []).entries()) {
    if (ip !== undefined) hold(`Vlan${id}`, vrf, ip, ['vlans', index, 'ip']);
  }
  for (const [index, { port, vlan, cidr, cidrs = [], vrf }] of (config.vlan_subinterfaces ?? []).entries()) {
    const path = ['vlan_subinterfaces', index];
    const name = subinterfaceName(port, vlan);
    if (cidr !== undefined) hold(name, vrf, cidr, [...path, 'cidr']);
    for (const [position, each] of cidrs.entries()) hold(name, vrf, each, [...path, 'cidrs', position]);
  }

  const seen = new Map<string, Held>();
  for (const one of held) {
    const key = `${one.space} ${one.prefix.value}`;
    const other = seen.get(key);
    if (other === undefined) seen.set(key, one);
    else report.problem(one.path, `${one.text} of ${one.owner} is the address of ${other.owner} already`);
  }
  checkOverlaps(held, (one, other) => {
    report.problem(
      one.path,
      `${one.text} of ${one.owner} overlaps with ${other.text} of ${other.owner} in the same VRF`,
    );
  });
}

// A host's address within another interface's subnet is no overlap: loopbacks are often taken from one.
function checkOverlaps(held: readonly Held[], report: (one: Held, other: Held) => void): void {
  const subnets = held
    .filter(({ prefix }) => prefix.first !== prefix.last)
    .toSorted((left, right) => codeOrder(left.space, right.space) || compareIpPrefixes(left.prefix, right.prefix));
  // Prefixes are apart, or one covers the other; in this order it comes first.
  let widest: Held | undefined;
  for (const one of subnets) {
    if (widest === undefined || widest.space !== one.space || !ipRangesOverlap(one.prefix, widest.prefix)) widest = one;
    else if (one.prefix.value !== widest.prefix.value) report(one, widest);
  }
}

function heldOf(owner: string, vrf: string, text: string, path: Path): Held | undefined {
  const prefix = interfaceAddressOf(text);
  return prefix && { owner, text, path, space: `${vrf} ${prefix.family}`, prefix };
}
