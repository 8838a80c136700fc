import { apiV2, create } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { openDatabase } from '../src/store/database.ts';
import { createStores } from '../src/store/stores.ts';
import { machineA } from './support.ts';

// Run by store.test.ts, which kills it: writes for ever, and says so after each write.
const stores = createStores(openDatabase(process.argv[2] ?? ''), systemClock);
for (let index = 0; ; index += 1) {
  stores.database.transaction(() => {
    stores.partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab', description: `${index}` }));
    stores.events.add(machineA, apiV2.MachineProvisioningEventType.PLANNED_REBOOT, `${index}`);
  });
  await new Promise((resolve) => process.stdout.write(`${index}\n`, resolve));
}
