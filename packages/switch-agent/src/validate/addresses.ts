import { compareIpPrefixes, IP_BITS, type InterfaceAddress, ipRangesOverlap } from '@ingot/wire';
import { codeOrder } from '../config-db/natural-order.ts';
import type { ConfigDb } from '../config-db/config-db.ts';
import { interfaceAddressOf } from '../interface-address.ts';
import type { Finding } from '../yang/finding.ts';
import { hasRow, rowsOf, textOf } from './rows.ts';

/** An address of an interface. */
interface Held {
  readonly table: string;
  readonly key: string;
  readonly name: string;
  readonly text: string;
  readonly prefix: InterfaceAddress;
  /** Addresses of different VRFs and families never meet. */
  readonly space: string;
}

const TABLES = ['INTERFACE', 'PORTCHANNEL_INTERFACE', 'VLAN_INTERFACE', 'VLAN_SUB_INTERFACE', 'LOOPBACK_INTERFACE'];

/**
 * Addresses that two interfaces of one VRF have, subnets that overlap, addresses that no host may have, and those of the
 * management port without a gateway.
 */
export function checkAddresses(configDb: ConfigDb): readonly Finding[] {
  const held = [...TABLES, 'MGMT_INTERFACE'].flatMap((table) => heldIn(configDb, table));
  const findings: Finding[] = [];
  const report = ({ table, key }: Held, message: string, severity: Finding['severity'] = 'error'): void => {
    findings.push({ severity, table, key, message });
  };
  const twice = new Set<Held>();
  const first = new Map<string, Held>();
  for (const one of held) {
    const address = `${one.space} ${one.prefix.value}`;
    const other = first.get(address);
    if (other === undefined) first.set(address, one);
    else {
      twice.add(one);
      report(one, `${one.text} is the address of ${other.name} already`);
    }
    if (isNetworkItself(one.prefix)) {
      report(one, `${one.text} is the name of the network, and no address in it; write one of its hosts`, 'warning');
    }
  }
  for (const [key, row] of rowsOf(configDb, 'MGMT_INTERFACE')) {
    // The model says so too, as an XPath expression.
    const gateway = textOf(row, 'gwaddr');
    const isOfOneKind = gateway?.includes(':') === key.includes(':');
    if (!isOfOneKind) {
      const message = 'needs a gateway of its own kind, IPv4 or IPv6; write gwaddr';
      findings.push({ severity: 'error', table: 'MGMT_INTERFACE', key, field: 'ip_prefix', message });
    }
  }
  for (const [one, other] of overlapping(held.filter((each) => !twice.has(each)))) {
    report(one, `${one.text} overlaps with ${other.text} of ${other.name} in the same VRF`);
  }
  return findings;
}

/** Prefixes are disjoint or one holds the other, so that in their order only the open ones have to be looked at. */
function* overlapping(held: readonly Held[]): Generator<readonly [one: Held, other: Held]> {
  const subnets = held
    // A host's address within another interface's subnet is none: loopbacks are often taken from one.
    .filter(({ prefix }) => prefix.length < IP_BITS[prefix.family])
    .toSorted((left, right) => codeOrder(left.space, right.space) || compareIpPrefixes(left.prefix, right.prefix));
  let open: Held | undefined;
  for (const one of subnets) {
    if (open !== undefined && open.space === one.space && ipRangesOverlap(open.prefix, one.prefix)) yield [one, open];
    else open = one;
  }
}

function heldIn(configDb: ConfigDb, table: string): readonly Held[] {
  return rowsOf(configDb, table).flatMap(([key]) => {
    const [name = '', text = '', ...more] = key.split('|');
    const prefix = interfaceAddressOf(text);
    // Every interface has link-local addresses, and may have the same.
    if (prefix === undefined || more.length > 0 || isLinkLocal(prefix)) return [];
    return [{ table, key, name, text, prefix, space: `${vrfOf(configDb, table, name)} ${prefix.family}` }];
  });
}

function vrfOf(configDb: ConfigDb, table: string, name: string): string {
  if (table === 'MGMT_INTERFACE') {
    const config = configDb['MGMT_VRF_CONFIG']?.['vrf_global'] ?? {};
    return textOf(config, 'mgmtVrfEnabled') === 'true' ? 'mgmt' : 'default';
  }
  const row = hasRow(configDb, table, name) ? configDb[table]?.[name] : undefined;
  return textOf(row ?? {}, 'vrf_name') ?? textOf(row ?? {}, 'vnet_name') ?? 'default';
}

/** RFC 3021: the two addresses of a /31 are both hosts; RFC 6164 says so of a /127. */
function isNetworkItself({ family, length, value, first }: InterfaceAddress): boolean {
  return length < IP_BITS[family] - 1 && value === first;
}

function isLinkLocal({ family, value }: InterfaceAddress): boolean {
  return family === 'ipv6' && value >> 118n === 0xfe80n >> 6n;
}
