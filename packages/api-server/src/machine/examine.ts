import type { apiV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { emptyContainer } from '../events/fsm.ts';
import { liveliness } from '../events/liveliness.ts';
import { text } from '../store/row.ts';
import type { Stores } from '../store/stores.ts';
import type { Examined } from './issues.ts';

/** Reads what the search for issues needs of all machines, ordered by ID; no bodies of those that nobody has. */
export async function examine(stores: Stores, clock: Clock): Promise<Examined[]> {
  const rows = await stores.session.all('SELECT id, partition, size, project FROM machine ORDER BY id');
  const machines = rows.map((row) => ({
    id: text(row, 'id'),
    partition: text(row, 'partition'),
    size: text(row, 'size'),
    project: text(row, 'project'),
  }));
  const ids = machines.map(({ id }) => id);
  const events = await stores.events.containers(ids);
  const bmcs = await stores.bmcs.getMany(ids);
  const asns = new Map<string, readonly number[]>();
  for await (const some of stores.machines.some(machines.filter(({ project }) => project !== '').map(({ id }) => id)))
    for (const { id, value } of some) asns.set(id, asnsOf(value));
  const now = clock.now();
  return machines.map((machine) => {
    const { id, project } = machine;
    const container = events.get(id) ?? emptyContainer;
    return {
      ...machine,
      events: container,
      liveliness: liveliness(container.lastEventAt, project !== '', now),
      bmc: bmcs.get(id),
      asns: asns.get(id) ?? [],
    };
  });
}

/** Machines of one project's network share nothing, so each has a number of its own. */
function asnsOf({ allocation }: apiV2.Machine): number[] {
  return [...new Set((allocation?.networks ?? []).map(({ asn }) => asn).filter((asn) => asn > 0))];
}
