/** A row as Redis has it: a list is the field `<name>@`, joined by commas, and a row without fields is NULL = NULL. */
export type Fields = Readonly<Record<string, string>>;

/** Every row of a table, by the part of its key after the table's name. */
export type Table = ReadonlyMap<string, Fields>;

/** The tables of CONFIG_DB that the reconciler reads: those that it writes, and those that can stand in its way. */
export const CONFIG_TABLES = [
  'PORT',
  'INTERFACE',
  'VLAN',
  'VLAN_MEMBER',
  'VLAN_INTERFACE',
  'SUPPRESS_VLAN_NEIGH',
  'VRF',
  'VXLAN_TUNNEL',
  'VXLAN_TUNNEL_MAP',
  'PORTCHANNEL_MEMBER',
  'PORTCHANNEL_INTERFACE',
  'VLAN_SUB_INTERFACE',
  'LOOPBACK_INTERFACE',
] as const;
export type ConfigTable = (typeof CONFIG_TABLES)[number];

/** CONFIG_DB at one moment. */
export type ConfigRows = Readonly<Record<ConfigTable, Table>>;

/** The rows of each table; none of a table that is not there. */
export function configRows(rowsOf: (table: ConfigTable) => Table | undefined): ConfigRows {
  const rows = (table: ConfigTable): Table => rowsOf(table) ?? new Map();
  return {
    PORT: rows('PORT'),
    INTERFACE: rows('INTERFACE'),
    VLAN: rows('VLAN'),
    VLAN_MEMBER: rows('VLAN_MEMBER'),
    VLAN_INTERFACE: rows('VLAN_INTERFACE'),
    SUPPRESS_VLAN_NEIGH: rows('SUPPRESS_VLAN_NEIGH'),
    VRF: rows('VRF'),
    VXLAN_TUNNEL: rows('VXLAN_TUNNEL'),
    VXLAN_TUNNEL_MAP: rows('VXLAN_TUNNEL_MAP'),
    PORTCHANNEL_MEMBER: rows('PORTCHANNEL_MEMBER'),
    PORTCHANNEL_INTERFACE: rows('PORTCHANNEL_INTERFACE'),
    VLAN_SUB_INTERFACE: rows('VLAN_SUB_INTERFACE'),
    LOOPBACK_INTERFACE: rows('LOOPBACK_INTERFACE'),
  };
}

/** A row to be written, from what it was seen to be to what it is to be; undefined: no such row. */
export interface RowChange {
  readonly table: ConfigTable;
  readonly key: string;
  readonly before: Fields | undefined;
  readonly after: Fields | undefined;
}

/** The row with `fields` set; SONiC's placeholder for an empty row goes when it gets its first field. */
export function withFields(before: Fields | undefined, fields: Fields): Fields {
  const { NULL: _placeholder, ...kept } = before ?? {};
  return { ...kept, ...fields };
}

/** Whether the row has these fields with these values, and maybe others. */
export function hasFields(row: Fields | undefined, fields: Fields): boolean {
  return row !== undefined && Object.entries(fields).every(([name, value]) => row[name] === value);
}
