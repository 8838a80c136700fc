import { apiV2, create } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { openDatabase } from '../../src/store/open-database.ts';
import { createStores } from '../../src/store/stores.ts';

// Run by kills.ts, which kills it: clients that write one after the other for ever, side by side, each in one transaction
// its number and an event with it. Says `<client> <number>` when it was promised.
const [path = '', clients = '1'] = process.argv.slice(2);
const database = await openDatabase({ dialect: 'sqlite', path }, { clock: systemClock });
const stores = createStores(database, systemClock);

const write = async (client: string): Promise<void> => {
  const stored = await stores.partitions.get(client);
  for (let number = Number(stored?.value.description ?? -1) + 1; ; number += 1) {
    await stores.transaction(async (inner) => {
      await inner.partitions.put(client, create(apiV2.PartitionSchema, { id: client, description: `${number}` }));
      await inner.events.add(client, apiV2.MachineProvisioningEventType.PLANNED_REBOOT, `${number}`);
    });
    await new Promise((resolve) => process.stdout.write(`${client} ${number}\n`, resolve));
  }
};
await Promise.all(Array.from({ length: Number(clients) }, (_, client) => write(`${client}`)));
