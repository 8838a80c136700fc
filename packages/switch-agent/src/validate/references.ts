import type { ConfigDb } from '../config-db/config-db.ts';
import type { Finding } from '../yang/finding.ts';
import { hasRow, rowsOf, textOf } from './rows.ts';

/** A name in a row that has to be there, and that no model looks up. */
interface Reference {
  readonly from: string;
  /** Undefined: the key is the name. */
  readonly field?: string;
  /** One of these tables has it. */
  readonly to: readonly string[];
}

const REFERENCES: readonly Reference[] = [
  // The model has a pattern only.
  { from: 'VXLAN_TUNNEL_MAP', field: 'vlan', to: ['VLAN'] },
  // These tables have no upstream model.
  { from: 'SUPPRESS_VLAN_NEIGH', to: ['VLAN'] },
  { from: 'VRRP_INTERFACE', field: 'parent_interface', to: ['VLAN_INTERFACE', 'INTERFACE', 'PORTCHANNEL_INTERFACE'] },
  // The models take any text here.
  { from: 'MCLAG_UNIQUE_IP', to: ['VLAN'] },
  { from: 'BREAKOUT_CFG', to: ['PORT'] },
  { from: 'DHCP_RELAY', to: ['VLAN'] },
];

/** Tables with a row for the interface, and one for each of its addresses. */
const INTERFACE_TABLES = [
  'INTERFACE',
  'PORTCHANNEL_INTERFACE',
  'VLAN_INTERFACE',
  'VLAN_SUB_INTERFACE',
  'LOOPBACK_INTERFACE',
] as const;

/** Names of rows that are not there. */
export function checkReferences(configDb: ConfigDb): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { from, field, to } of REFERENCES) {
    for (const [key, row] of rowsOf(configDb, from)) {
      const name = field === undefined ? key : textOf(row, field);
      if (name === undefined || name.includes('|') || to.some((table) => hasRow(configDb, table, name))) continue;
      findings.push({
        severity: 'error',
        table: from,
        key,
        ...(field !== undefined && { field }),
        message: `${name} is not there; write the name of a row of ${to.join(' or ')}, or add the row`,
      });
    }
  }
  for (const table of INTERFACE_TABLES) {
    for (const [key] of rowsOf(configDb, table)) {
      const [name = '', address] = key.split('|');
      if (address === undefined || hasRow(configDb, table, name)) continue;
      // intfmgrd holds the address back until the interface is there.
      findings.push({
        severity: 'error',
        table,
        key,
        field: 'name',
        message: `an address does nothing without a row of its interface; add "${name}": {} to ${table}`,
      });
    }
  }
  return findings;
}
