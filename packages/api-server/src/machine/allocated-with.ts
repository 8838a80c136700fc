import type { apiV2 } from '@ingot/api';
import type { Stores } from '../store/stores.ts';

/** The IDs of machines whose allocation uses what this ID names. Bodies are read only where the ID is in. */
export async function allocatedWith(
  stores: Stores,
  id: string,
  uses: (machine: apiV2.Machine) => boolean,
): Promise<string[]> {
  const found: string[] = [];
  for await (const some of stores.machines.some(await stores.machines.ids({ project: { not: '' } }, id)))
    found.push(...some.filter(({ value }) => uses(value)).map((one) => one.id));
  return found;
}
