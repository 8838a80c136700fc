import type { apiV2 } from '@ingot/api';
import { text } from '../store/row.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';

/** The switches that a machine is connected to, by their ID. */
export async function switchesOfMachine(stores: Stores, machine: string): Promise<Map<string, Stored<apiV2.Switch>>> {
  const rows = await stores.session.all('SELECT switch FROM switch_machine WHERE machine = ?', machine);
  return stores.switches.getMany(rows.map((row) => text(row, 'switch')));
}
