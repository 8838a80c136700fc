import type { ConfigDb } from '../config-db/config-db.ts';
import type { Finding } from '../yang/finding.ts';
import { rowsOf, textOf } from './rows.ts';

/** Something that a port belongs to. */
interface Claim {
  readonly kind: 'channel' | 'vlan' | 'router' | 'subinterface';
  readonly master: string;
  readonly isUntagged: boolean;
  readonly table: string;
  readonly key: string;
  /** The part of the key that is the port, as the model calls it. */
  readonly field: string;
}

/**
 * A port has one master: a member of a port channel is nothing else, a router port is in no VLAN (orchagent crashes when
 * one is both), and no port is untagged in two VLANs. The models have half of this.
 */
export function checkMasters(configDb: ConfigDb): readonly Finding[] {
  return [...claimsOf(configDb)].flatMap(([port, claims]) => {
    const channel = claims.find(({ kind }) => kind === 'channel');
    const router = claims.find(({ kind }) => kind === 'router');
    const untagged = claims.find(({ isUntagged }) => isUntagged);
    return claims.flatMap((claim): readonly Finding[] => {
      const refuse = (message: string): readonly Finding[] => [
        {
          severity: 'error',
          table: claim.table,
          key: claim.key,
          field: claim.field,
          message: `${message}; leave one out`,
        },
      ];
      if (channel !== undefined && claim !== channel) {
        return refuse(`${port} is a member of ${channel.master}, and a member can be nothing else`);
      }
      if (claim.kind === 'vlan' && router !== undefined) {
        return refuse(`${port} is a router port (${router.table}), and a router port can be in no VLAN`);
      }
      if (claim.isUntagged && untagged !== undefined && claim !== untagged) {
        return refuse(`${port} is untagged in ${untagged.master} already`);
      }
      return [];
    });
  });
}

function claimsOf(configDb: ConfigDb): ReadonlyMap<string, readonly Claim[]> {
  const claims = new Map<string, Claim[]>();
  const add = (port: string | undefined, claim: Claim): void => {
    if (port === undefined) return;
    const own = claims.get(port) ?? [];
    claims.set(port, own);
    own.push(claim);
  };
  for (const [key] of rowsOf(configDb, 'PORTCHANNEL_MEMBER')) {
    const [master = '', port] = key.split('|');
    add(port, { kind: 'channel', master, isUntagged: false, table: 'PORTCHANNEL_MEMBER', key, field: 'port' });
  }
  for (const table of ['INTERFACE', 'PORTCHANNEL_INTERFACE']) {
    for (const [key] of rowsOf(configDb, table)) {
      // The rows with addresses belong to that of the interface.
      if (key.includes('|')) continue;
      add(key, { kind: 'router', master: 'the router', isUntagged: false, table, key, field: 'name' });
    }
  }
  for (const [key] of rowsOf(configDb, 'VLAN_SUB_INTERFACE')) {
    const [port, vlan] = key.split('.');
    if (vlan === undefined || key.includes('|')) continue;
    const table = 'VLAN_SUB_INTERFACE';
    add(port, { kind: 'subinterface', master: key, isUntagged: false, table, key, field: 'name' });
  }
  for (const [key, row] of rowsOf(configDb, 'VLAN_MEMBER')) {
    const [master = '', port] = key.split('|');
    const isUntagged = textOf(row, 'tagging_mode') === 'untagged';
    add(port, { kind: 'vlan', master, isUntagged, table: 'VLAN_MEMBER', key, field: 'port' });
  }
  return claims;
}
