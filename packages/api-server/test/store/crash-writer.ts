import { apiV2, create } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { openDatabase } from '../../src/store/open-database.ts';
import { createStores } from '../../src/store/stores.ts';
import { machineA } from '../support.ts';

// Run by sqlite.test.ts, which kills it: writes for ever, and says so after each write.
const database = await openDatabase({ dialect: 'sqlite', path: process.argv[2] ?? '' }, { clock: systemClock });
const stores = createStores(database, systemClock);
for (let index = 0; ; index += 1) {
  await stores.transaction(async (inner) => {
    await inner.partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab', description: `${index}` }));
    await inner.events.add(machineA, apiV2.MachineProvisioningEventType.PLANNED_REBOOT, `${index}`);
  });
  await new Promise((resolve) => process.stdout.write(`${index}\n`, resolve));
}
