import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { findOrCreateMachine } from '../../src/machine/machine-records.ts';
import { createStores } from '../../src/store/stores.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';
import { machineA } from '../support.ts';

test('a machine is of the partition that names it first, whichever names it later', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const stores = createStores(database, clock);
  const partitionOf = async (named?: string): Promise<string | undefined> => {
    await findOrCreateMachine(stores, machineA, named);
    return (await stores.machines.need(machineA)).value.partition?.id;
  };
  expect(await partitionOf()).toBeUndefined();
  expect(await partitionOf('lab')).toBe('lab');
  expect(await partitionOf('other')).toBe('lab');
  expect(await partitionOf()).toBe('lab');
});
