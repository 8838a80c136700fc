import { apiV2, create } from '@ingot/api';
import { UNKNOWN_SIZE } from '../size/match.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { WIPE_LABEL } from './wipe-label.ts';

/** UUIDs are compared in lower case (RFC 9562, section 4); firmware prints both. */
export function machineIdOf(uuid: string): string {
  return uuid.toLowerCase();
}

/**
 * The machine, created empty if nobody has heard of it yet. One that was taken out of the records before it had erased its
 * disks still has to.
 */
export async function findOrCreateMachine(
  stores: Stores,
  id: string,
  partition?: string,
): Promise<Stored<apiV2.Machine>> {
  const found = await stores.machines.get(id);
  if (found !== undefined) {
    if (partition === undefined || (found.value.partition?.id ?? '') !== '') return found;
    found.value.partition = create(apiV2.PartitionSchema, { id: partition });
    return stores.machines.put(id, found.value);
  }
  return stores.transaction(async (inner) => inner.machines.put(id, await newMachine(inner, id, partition)));
}

/** What is known of a machine of which nobody has heard yet, to be stored in the same transaction. */
export async function newMachine(stores: Stores, id: string, partition?: string): Promise<apiV2.Machine> {
  const owed = await stores.owedWipes.take(id);
  return create(apiV2.MachineSchema, {
    uuid: id,
    ...(partition === undefined ? {} : { partition: { id: partition } }),
    ...(owed === undefined ? {} : { meta: { labels: { labels: { [WIPE_LABEL]: owed } } } }),
    size: { id: UNKNOWN_SIZE },
    status: {
      condition: { state: apiV2.MachineState.AVAILABLE },
      ledState: { value: 'LED-OFF', description: 'nobody has asked for it' },
    },
  });
}
