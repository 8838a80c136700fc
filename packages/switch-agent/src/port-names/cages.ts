import type { ConfigDb } from '../config-db/config-db.ts';
import { naturalOrder } from '../config-db/natural-order.ts';
import type { CageOfPorts } from './translate.ts';

/** What is needed of a port to find its cage: the number on the front panel. */
interface IndexedPort {
  readonly name: string;
  readonly index: string | undefined;
}

/** The cages of a CONFIG_DB: ports with one `index` are in one cage. Throws an Error when a port has none. */
export function cagesOfConfigDb(configDb: ConfigDb): readonly CageOfPorts[] {
  return cagesOf(
    Object.entries(configDb['PORT'] ?? {}).map(([name, { index, role }]) => ({
      name,
      // Internal and recirculation ports are on no front panel.
      index: role === undefined || role === 'Ext' ? (typeof index === 'string' ? index : undefined) : 'none',
    })),
  );
}

/** As `cagesOfConfigDb`, of ports that the platform's files describe. */
export function cagesOf(ports: Iterable<IndexedPort>): readonly CageOfPorts[] {
  const byIndex = new Map<number, string[]>();
  for (const { name, index } of ports) {
    if (index === 'none') continue;
    if (index === undefined || !/^\d{1,4}$/.test(index)) {
      throw new Error(`${name} has no index, so that its place on the front panel is not known; use --lanes`);
    }
    byIndex.set(Number(index), [...(byIndex.get(Number(index)) ?? []), name]);
  }
  // Some platforms count from 0, Cumulus from 1 always.
  const shift = byIndex.has(0) ? 1 : 0;
  return [...byIndex]
    .toSorted(([left], [right]) => left - right)
    .map(([index, names]) => ({ number: index + shift, ports: names.toSorted(naturalOrder) }));
}
