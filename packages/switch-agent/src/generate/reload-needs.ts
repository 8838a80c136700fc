import { codeOrder } from '../config-db/natural-order.ts';
import type { RowChange } from '../config-db/diff-config-db.ts';

/** What has to happen on the switch before a change of CONFIG_DB is in force. */
export const Need = {
  /** SONiC's daemons take it as it is written. */
  Nothing: 'nothing',
  RestartLldp: 'systemctl restart lldp',
  RestartDhcpRelay: 'systemctl restart dhcp_relay',
  /** All of SONiC is stopped and started: minutes without traffic. */
  Reload: 'config reload',
} as const;
export type Need = (typeof Need)[keyof typeof Need];

interface TableNeeds {
  /** For a row that comes or goes. */
  readonly rows: Need;
  /** For a field of a row that stays; those that are not named need a reload. */
  readonly fields: Readonly<Record<string, Need>>;
}

const LIVE: TableNeeds = { rows: Need.Nothing, fields: {} };

/**
 * By what SONiC's daemons (the *mgrd of swss, hostcfgd, caclmgrd, mclagsyncd, lldpmgrd) subscribe to and change in
 * place. A table that is not here needs a reload.
 */
const NEEDS: Readonly<Record<string, TableNeeds>> = {
  ACL_RULE: LIVE,
  ACL_TABLE: LIVE,
  DEVICE_METADATA: { rows: Need.Reload, fields: { hostname: Need.Nothing } },
  DNS_NAMESERVER: LIVE,
  FEATURE: { rows: Need.Nothing, fields: { auto_restart: Need.Nothing, state: Need.Nothing } },
  // intfmgrd binds an interface to a VRF when its row comes, and never again.
  INTERFACE: { rows: Need.Nothing, fields: { ipv6_use_link_local_only: Need.Nothing } },
  LLDP: { rows: Need.RestartLldp, fields: { hello_time: Need.RestartLldp, hello_timer: Need.RestartLldp } },
  LOOPBACK_INTERFACE: LIVE,
  MCLAG_DOMAIN: LIVE,
  MCLAG_INTERFACE: LIVE,
  MCLAG_UNIQUE_IP: LIVE,
  MGMT_INTERFACE: { rows: Need.Nothing, fields: { gwaddr: Need.Nothing } },
  MGMT_VRF_CONFIG: { rows: Need.Nothing, fields: { mgmtVrfEnabled: Need.Nothing } },
  NTP: { rows: Need.Nothing, fields: { src_intf: Need.Nothing, vrf: Need.Nothing } },
  NTP_SERVER: LIVE,
  // Lanes, alias and index are fixed when the port is made: orchagent makes and removes ports with a breakout only.
  PORT: {
    rows: Need.Reload,
    fields: {
      admin_status: Need.Nothing,
      autoneg: Need.Nothing,
      description: Need.Nothing,
      fec: Need.Nothing,
      mtu: Need.Nothing,
      speed: Need.Nothing,
    },
  },
  // teamd is told the rest when it starts.
  PORTCHANNEL: { rows: Need.Nothing, fields: { admin_status: Need.Nothing, mtu: Need.Nothing } },
  PORTCHANNEL_INTERFACE: { rows: Need.Nothing, fields: { ipv6_use_link_local_only: Need.Nothing } },
  PORTCHANNEL_MEMBER: LIVE,
  SAG: { rows: Need.Nothing, fields: { gateway_mac: Need.Nothing } },
  SFLOW: { rows: Need.Nothing, fields: { admin_state: Need.Nothing, polling_interval: Need.Nothing } },
  SFLOW_COLLECTOR: LIVE,
  SFLOW_SESSION: { rows: Need.Nothing, fields: { admin_state: Need.Nothing, sample_rate: Need.Nothing } },
  VLAN: { rows: Need.Nothing, fields: { dhcp_servers: Need.RestartDhcpRelay } },
  VLAN_INTERFACE: { rows: Need.Nothing, fields: { static_anycast_gateway: Need.Nothing } },
  VLAN_MEMBER: LIVE,
  VLAN_SUB_INTERFACE: { rows: Need.Nothing, fields: { admin_status: Need.Nothing } },
  VRF: { rows: Need.Nothing, fields: { vni: Need.Nothing } },
  VRRP_INTERFACE: LIVE,
  // A tunnel that maps hang on is neither changed nor removed.
  VXLAN_EVPN_NVO: LIVE,
  VXLAN_TUNNEL: LIVE,
  VXLAN_TUNNEL_MAP: LIVE,
};

const GRAVITY: readonly Need[] = [Need.Nothing, Need.RestartLldp, Need.RestartDhcpRelay, Need.Reload];

/** What the changes of one table need. */
export interface TableSummary {
  readonly table: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** The gravest of what its changes need. */
  readonly need: Need;
}

/** One summary for each table with changes, by name. */
export function summarise(changes: readonly RowChange[]): readonly TableSummary[] {
  const tables = Map.groupBy(changes, ({ table }) => table);
  return [...tables]
    .toSorted(([left], [right]) => codeOrder(left, right))
    .map(([table, own]) => {
      const count = (kind: RowChange['kind']): number => own.filter((change) => change.kind === kind).length;
      const need = own.map(needOf).reduce(graver, Need.Nothing);
      return { table, added: count('added'), removed: count('removed'), changed: count('changed'), need };
    });
}

function needOf(change: RowChange): Need {
  const needs = NEEDS[change.table] ?? { rows: Need.Reload, fields: {} };
  if (change.kind !== 'changed') {
    const relayed = 'after' in change ? change.after : change.before;
    const isRelayed = change.table === 'VLAN' && Object.hasOwn(relayed, 'dhcp_servers');
    return isRelayed ? Need.RestartDhcpRelay : needs.rows;
  }
  return change.fields.map(({ field }) => needs.fields[field] ?? Need.Reload).reduce(graver, Need.Nothing);
}

function graver(left: Need, right: Need): Need {
  return GRAVITY.indexOf(left) >= GRAVITY.indexOf(right) ? left : right;
}
