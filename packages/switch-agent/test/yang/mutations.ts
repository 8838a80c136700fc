import type { ConfigDb, Row } from '../../src/config-db/config-db.ts';

/** One thing that is wrong, and how it has to be reported. */
export interface Mutation {
  readonly name: string;
  readonly table: string;
  readonly key: string;
  /** Fields of the row to change; undefined takes one away, and no `fields` at all the row. */
  readonly fields?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** How the report begins, `TABLE|key field: `, and a part of its words. */
  readonly place: string;
  readonly words: string;
  /** Another mutation in the list changes what this one needs. */
  readonly onlyAlone?: true;
}

export const mutations: readonly Mutation[] = [
  {
    name: 'a management address without a gateway',
    table: 'MGMT_INTERFACE',
    key: 'eth0|172.16.0.11/24',
    fields: { gwaddr: undefined },
    place: 'MGMT_INTERFACE|eth0|172.16.0.11/24 ip_prefix',
    words: 'write gwaddr',
  },
  {
    name: 'a member port that is not there',
    table: 'VLAN_MEMBER',
    key: 'Vlan4000|Ethernet99',
    fields: { tagging_mode: 'tagged' },
    place: 'VLAN_MEMBER|Vlan4000|Ethernet99 port',
    words: 'a row of PORT or PORTCHANNEL',
  },
  {
    name: 'a member of a VLAN that is not there',
    table: 'VLAN_MEMBER',
    key: 'Vlan99|Ethernet1',
    fields: { tagging_mode: 'tagged' },
    place: 'VLAN_MEMBER|Vlan99|Ethernet1 name',
    words: 'a row of VLAN',
  },
  {
    name: 'a member without a tagging mode',
    table: 'VLAN_MEMBER',
    key: 'Vlan4000|Ethernet1',
    fields: { tagging_mode: undefined },
    place: 'VLAN_MEMBER|Vlan4000|Ethernet1 tagging_mode',
    words: 'is missing; write tagged, untagged or priority_tagged',
  },
  {
    name: 'a tagging mode that there is not',
    table: 'VLAN_MEMBER',
    key: 'Vlan4000|Ethernet1',
    fields: { tagging_mode: 'Untagged' },
    place: 'VLAN_MEMBER|Vlan4000|Ethernet1 tagging_mode',
    words: 'write tagged, untagged',
  },
  {
    name: 'a port of a VLAN that is a router port',
    table: 'VLAN_MEMBER',
    key: 'Vlan4000|Ethernet2',
    fields: { tagging_mode: 'tagged' },
    place: 'VLAN_MEMBER|Vlan4000|Ethernet2 port',
    words: 'a router port',
  },
  {
    name: 'a port of a VLAN that is a member of a port channel',
    table: 'VLAN_MEMBER',
    key: 'Vlan4000|Ethernet4',
    fields: { tagging_mode: 'tagged' },
    place: 'VLAN_MEMBER|Vlan4000|Ethernet4 port',
    words: 'a member of PortChannel01',
  },
  {
    onlyAlone: true,
    name: 'a port untagged in two VLANs',
    table: 'VLAN_MEMBER',
    key: 'Vlan1001|Ethernet1',
    fields: { tagging_mode: 'untagged' },
    place: 'VLAN_MEMBER|Vlan1001|Ethernet1 port',
    words: 'untagged in Vlan4000 already',
  },
  {
    name: 'a router port that is a member of a port channel',
    table: 'INTERFACE',
    key: 'Ethernet5',
    fields: {},
    place: 'INTERFACE|Ethernet5 name',
    words: 'a member of PortChannel01',
  },
  {
    name: 'an interface of a port that is not there',
    table: 'INTERFACE',
    key: 'Ethernet77',
    fields: {},
    place: 'INTERFACE|Ethernet77 name',
    words: 'a row of PORT',
  },
  {
    name: 'an interface in a VRF that is not there',
    table: 'INTERFACE',
    key: 'Ethernet3',
    fields: { vrf_name: 'Vrf7' },
    place: 'INTERFACE|Ethernet3 vrf_name',
    words: '"Vrf7" is not there; write the name of a row of VRF',
  },
  {
    name: 'an address without a mask',
    table: 'INTERFACE',
    key: 'Ethernet6|10.3.0.1',
    fields: {},
    place: 'INTERFACE|Ethernet6|10.3.0.1 ip-prefix',
    words: '192.0.2.1/24',
  },
  {
    name: 'an address without its interface',
    table: 'INTERFACE',
    key: 'Ethernet1|10.3.0.1/24',
    fields: {},
    place: 'INTERFACE|Ethernet1|10.3.0.1/24 name',
    words: 'add "Ethernet1": {} to INTERFACE',
  },
  {
    name: 'a key of too many parts',
    table: 'INTERFACE',
    key: 'Ethernet6|10.3.0.1/24|x',
    fields: {},
    place: 'INTERFACE|Ethernet6|10.3.0.1/24|x',
    words: 'the key does not fit the model',
  },
  {
    name: 'an address that another interface has',
    table: 'INTERFACE',
    key: 'Ethernet6|10.0.1.1/31',
    fields: {},
    place: 'VLAN_INTERFACE|Vlan4000|10.0.1.1/24',
    words: '10.0.1.1/24 is the address of Ethernet6 already',
  },
  {
    onlyAlone: true,
    name: 'a subnet that overlaps',
    table: 'INTERFACE',
    key: 'Ethernet6|10.0.1.129/25',
    fields: {},
    place: 'INTERFACE|Ethernet6|10.0.1.129/25',
    words: 'overlaps with 10.0.1.1/24 of Vlan4000',
  },
  {
    name: 'a port that is too large',
    table: 'PORT',
    key: 'Ethernet1',
    fields: { mtu: '10000' },
    place: 'PORT|Ethernet1 mtu',
    words: 'write a number of 68 to 9216',
  },
  {
    name: 'a port that is UP',
    table: 'PORT',
    key: 'Ethernet1',
    fields: { admin_status: 'UP' },
    place: 'PORT|Ethernet1 admin_status',
    words: 'write up or down',
  },
  {
    name: 'an FEC that there is not',
    table: 'PORT',
    key: 'Ethernet1',
    fields: { fec: 'reed-solomon' },
    place: 'PORT|Ethernet1 fec',
    words: 'write rs, fc, none or auto',
  },
  {
    name: 'a port without lanes',
    table: 'PORT',
    key: 'Ethernet1',
    fields: { lanes: undefined },
    place: 'PORT|Ethernet1 lanes',
    words: 'is missing',
  },
  {
    name: 'a lane of two ports',
    table: 'PORT',
    key: 'Ethernet3',
    fields: { lanes: '3,4' },
    place: 'PORT|Ethernet3 lanes',
    words: 'lane 3 is one of Ethernet2 already',
  },
  {
    name: 'an alias of two ports',
    table: 'PORT',
    key: 'Ethernet3',
    fields: { alias: 'Eth1/1' },
    place: 'PORT|Ethernet3 alias',
    words: 'that of Ethernet0 already',
  },
  {
    name: 'a field that is spelt wrong',
    table: 'PORT',
    key: 'Ethernet1',
    fields: { admin_state: 'up' },
    place: 'PORT|Ethernet1 admin_state',
    words: 'did you mean admin_status?',
  },
  {
    name: 'a list in place of a text',
    table: 'PORT',
    key: 'Ethernet1',
    fields: { description: ['a'] },
    place: 'PORT|Ethernet1 description',
    words: 'takes one text',
  },
  {
    name: 'a text in place of a list',
    table: 'VLAN',
    key: 'Vlan4000',
    fields: { dhcp_servers: '10.0.0.67' },
    place: 'VLAN|Vlan4000 dhcp_servers',
    words: 'takes a list',
  },
  {
    name: 'a DHCP server that is no address',
    table: 'VLAN',
    key: 'Vlan4000',
    fields: { dhcp_servers: ['10.0.0.67', 'dhcp1'] },
    place: 'VLAN|Vlan4000 dhcp_servers',
    words: '"dhcp1" does not fit; write something like 192.0.2.1',
  },
  {
    name: 'VLAN 1',
    table: 'VLAN',
    key: 'Vlan1',
    fields: { vlanid: '1' },
    place: 'VLAN|Vlan1 name',
    words: 'does not fit',
  },
  {
    name: 'a VLAN with the number of another',
    table: 'VLAN',
    key: 'Vlan1001',
    fields: { vlanid: '1002' },
    place: 'VLAN|Vlan1001 vlanid',
    words: 'must correspond to the VLAN name',
  },
  {
    name: 'a VRF in lower case',
    table: 'VRF',
    key: 'vrf5',
    fields: {},
    place: 'VRF|vrf5 name',
    words: 'write something like Vrf1',
  },
  {
    name: 'a VRF with a name too long',
    table: 'VRF',
    key: 'Vrf1234567890123',
    fields: {},
    place: 'VRF|Vrf1234567890123 name',
    words: 'does not fit',
  },
  {
    name: 'a VNI of two VRFs',
    table: 'VRF',
    key: 'Vrf5',
    fields: { vni: '104001' },
    place: 'VRF|Vrf5 vni',
    words: 'that of Vrf104001 already',
  },
  {
    name: 'a VNI that is no number',
    table: 'VXLAN_TUNNEL_MAP',
    key: 'vtep|map_x',
    fields: { vlan: 'Vlan4000', vni: 'x' },
    place: 'VXLAN_TUNNEL_MAP|vtep|map_x vni',
    words: 'write a number of 1 to 16777215',
  },
  {
    name: 'a VNI used twice',
    table: 'VXLAN_TUNNEL_MAP',
    key: 'vtep|map_x',
    fields: { vlan: 'Vlan4000', vni: '104001' },
    place: 'VXLAN_TUNNEL_MAP|vtep|map_x vni',
    words: 'that of vtep|map_104001_Vlan1001 already',
  },
  {
    name: 'a VNI for a VLAN that is not there',
    table: 'VXLAN_TUNNEL_MAP',
    key: 'vtep|map_x',
    fields: { vlan: 'Vlan99', vni: '9' },
    place: 'VXLAN_TUNNEL_MAP|vtep|map_x vlan',
    words: 'Vlan99 is not there; write the name of a row of VLAN',
  },
  {
    name: 'a VLAN mapped twice',
    table: 'VXLAN_TUNNEL_MAP',
    key: 'vtep|map_x',
    fields: { vlan: 'Vlan1001', vni: '9' },
    place: 'VXLAN_TUNNEL_MAP|vtep|map_x vlan',
    words: 'Vlan1001 has VNI 104001 already',
  },
  {
    onlyAlone: true,
    name: 'a map of a tunnel that is not there',
    table: 'VXLAN_TUNNEL_MAP',
    key: 'vtep2|map_x',
    fields: { vlan: 'Vlan4000', vni: '9' },
    place: 'VXLAN_TUNNEL_MAP|vtep2|map_x name',
    words: 'a row of VXLAN_TUNNEL',
  },
  {
    name: 'a second tunnel end point',
    table: 'VXLAN_TUNNEL',
    key: 'vtep2',
    fields: { src_ip: '10.0.0.12' },
    place: 'VXLAN_TUNNEL|vtep2',
    words: 'leave one out',
  },
  {
    name: 'the VLAN of a VRF’s VNI in another VRF',
    table: 'VLAN_INTERFACE',
    key: 'Vlan1001',
    fields: { vrf_name: 'VrfOther' },
    place: 'VLAN_INTERFACE|Vlan1001 vrf_name',
    words: 'write Vrf104001',
  },
  {
    name: 'an anycast gateway without its MAC address',
    table: 'VLAN_INTERFACE',
    key: 'Vlan4000',
    fields: { static_anycast_gateway: 'true' },
    place: 'VLAN_INTERFACE|Vlan4000 static_anycast_gateway',
    words: 'gateway_mac',
  },
  {
    name: 'LLDP as Edgecore’s 202111 has it',
    table: 'LLDP',
    key: 'Global',
    fields: { hello_timer: '10' },
    place: 'LLDP|Global',
    words: 'write "GLOBAL"',
  },
  {
    name: 'LLDP every 5 minutes',
    table: 'LLDP',
    key: 'GLOBAL',
    fields: { hello_time: '300' },
    place: 'LLDP|GLOBAL hello_time',
    words: 'write a number of 5 to 254',
  },
  {
    name: 'a rule of an ACL that is not there',
    table: 'ACL_RULE',
    key: 'NONE|R1',
    fields: { PRIORITY: '1' },
    place: 'ACL_RULE|NONE|R1 ACL_TABLE_NAME',
    words: 'a row of ACL_TABLE',
  },
  {
    name: 'a DSCP of more than six bits',
    table: 'DSCP_TO_TC_MAP',
    key: 'AZURE',
    fields: { 64: '1' },
    place: 'DSCP_TO_TC_MAP|AZURE 64',
    words: 'Invalid DSCP',
  },
  {
    name: 'a breakout of a port that is not there',
    table: 'BREAKOUT_CFG',
    key: 'Ethernet99',
    fields: { brkout_mode: '1x100G' },
    place: 'BREAKOUT_CFG|Ethernet99',
    words: 'a row of PORT',
  },
  {
    name: 'suppression for a VLAN that is not there',
    table: 'SUPPRESS_VLAN_NEIGH',
    key: 'Vlan99',
    fields: { suppress: 'on' },
    place: 'SUPPRESS_VLAN_NEIGH|Vlan99',
    words: 'a row of VLAN',
  },
  {
    name: 'a password that TACACS+ does not take',
    table: 'TACPLUS',
    key: 'global',
    fields: { passkey: 'geheim #1' },
    place: 'TACPLUS|global passkey',
    words: 'the value does not fit',
  },
  {
    name: 'a control character',
    table: 'PORT',
    key: 'Ethernet1',
    fields: { description: 'a\u0000b' },
    place: 'PORT|Ethernet1 description',
    words: 'U+0000',
  },
];

/** A copy of `configDb` with the mutations applied. */
export function mutate(configDb: ConfigDb, applied: readonly Mutation[]): ConfigDb {
  const tables: Record<string, Record<string, Row>> = structuredClone(configDb);
  for (const { table, key, fields } of applied) {
    const rows = (tables[table] ??= {});
    if (fields === undefined) {
      delete rows[key];
      continue;
    }
    const row: Record<string, string | readonly string[]> = { ...rows[key] };
    for (const [field, value] of Object.entries(fields)) {
      if (value === undefined) delete row[field];
      else row[field] = value;
    }
    rows[key] = row;
  }
  return tables;
}
