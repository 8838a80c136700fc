import type { SonicDb } from './sonic-db.ts';

/** One front-panel port as CONFIG_DB has it. */
export interface Port {
  /** The SONiC name, which is also the name of the netdev: `Ethernet0`. */
  readonly name: string;
  /** What lldpd announces as port id; absent when CONFIG_DB has none. */
  readonly alias?: string;
}

// Linux: up to 15 characters, no slash; a name ends up in a sysfs path, so "." and ".." must not pass.
const NETDEV = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,14}$/;

const naturally = new Intl.Collator('en', { numeric: true });

/** Compares names as a person would: Ethernet2 before Ethernet10. */
export function compareNaturally(a: string, b: string): number {
  return naturally.compare(a, b);
}

/**
 * The ports of CONFIG_DB, in natural order. CONFIG_DB and not the netdevs, which lag behind a breakout change.
 * Rows that cannot be a netdev are left out and handed to `refuse`. Throws SwitchAgentError `SWITCH_DATABASE`.
 */
export async function readPorts(configDb: SonicDb, refuse: (row: string) => void): Promise<readonly Port[]> {
  const ports: Port[] = [];
  for (const [name, row] of await configDb.rows('PORT')) {
    if (!NETDEV.test(name)) {
      refuse(name);
      continue;
    }
    const alias = row['alias'];
    ports.push(alias === undefined || alias === '' ? { name } : { name, alias });
  }
  return ports.sort((a, b) => compareNaturally(a.name, b.name));
}

/** Whether two readings describe the same ports. */
export function samePorts(a: readonly Port[], b: readonly Port[]): boolean {
  return (
    a.length === b.length && a.every((port, index) => port.name === b[index]?.name && port.alias === b[index].alias)
  );
}
