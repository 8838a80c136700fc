import { compareNaturally } from '../ports.ts';
import type { SonicDb } from '../sonic-db.ts';

/** Who is at the other end of a port, as LLDP says. Every text was written by the other side. */
export interface LldpNeighbor {
  /** The port of this switch. */
  readonly port: string;
  readonly systemName: string;
  readonly systemDescription: string;
  /** The other side's port id; empty when it has said none. */
  readonly portId: string;
}

const TABLE = 'LLDP_ENTRY_TABLE';

// lldpd keeps 32 neighbours of a port by default; this is 64 for each port of a switch with 128 of them.
const MAX_NEIGHBORS = 8192;

/**
 * The neighbours that lldp-syncd keeps in APPL_DB, by port in natural order. Broadcom's SONiC has rows named
 * `<port>:<chassis MAC>`, the others `<port>`. Throws SwitchAgentError `SWITCH_DATABASE`.
 */
export async function readLldpNeighbors(appDb: SonicDb): Promise<readonly LldpNeighbor[]> {
  const neighbors: LldpNeighbor[] = [];
  for (const [key, row] of await appDb.rows(TABLE)) {
    if (neighbors.length === MAX_NEIGHBORS) break;
    const colon = key.indexOf(':');
    const port = colon === -1 ? key : key.slice(0, colon);
    if (port === '') continue;
    neighbors.push({
      port,
      systemName: row['lldp_rem_sys_name'] ?? '',
      systemDescription: row['lldp_rem_sys_desc'] ?? '',
      portId: row['lldp_rem_port_id'] ?? '',
    });
  }
  return neighbors.sort((a, b) => compareNaturally(a.port, b.port) || compareNaturally(a.systemName, b.systemName));
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The UUID of the machine that a neighbour says it is, in lower case; undefined for everything else. */
export function machineOf({ systemName }: LldpNeighbor): string | undefined {
  const name = systemName.trim().toLowerCase();
  return UUID.test(name) ? name : undefined;
}
