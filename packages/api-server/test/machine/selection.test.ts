import { apiV2, create } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { type Arbitrary, array, assert, asyncProperty, boolean, constantFrom, option, record } from 'fast-check';
import { expect, test } from 'vitest';
import { createStores } from '../../src/store/stores.ts';
import { createLongReads } from '../../src/views/long-reads.ts';
import { machineIdsOf, machinesOf } from '../../src/views/machine-query.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';

const { MachineState, MachineAllocationType: Role } = apiV2;

const partitions = ['', 'lab', 'hall'];
const sizes = ['unknown', 'c1'];
const racks = ['', 'r1', 'r2'];
const projects = ['', 'p1', 'p2'];
const states = [MachineState.UNSPECIFIED, MachineState.AVAILABLE, MachineState.LOCKED];
const roles = [Role.MACHINE, Role.FIREWALL];

const machine = record({
  partition: constantFrom(...partitions),
  size: constantFrom(...sizes),
  rack: constantFrom(...racks),
  project: constantFrom(...projects),
  state: constantFrom(...states),
  role: constantFrom(...roles),
  waiting: boolean(),
});
const some = <T>(...values: readonly T[]): Arbitrary<T | undefined> =>
  option(constantFrom(...values), { nil: undefined, freq: 2 });
const question = record({
  partition: some(...partitions),
  size: some(...sizes),
  rack: some(...racks),
  state: some(...states),
  waiting: some(true, false),
  notAllocated: some(true, false),
  holder: some(...projects.slice(1)),
  role: some(...roles),
  number: some(0, 1),
  scope: some(...partitions),
  asking: some(...projects.slice(1)),
});

// What is filtered by columns has to come out as if every machine had been looked at.
test('of machines exactly those are found that fit, whatever is asked by columns', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const stores = createStores(database, clock);
  const longReads = createLongReads();
  const uuid = (n: number): string => `aaaaaaaa-0000-4000-8000-${String(n).padStart(12, '0')}`;
  await assert(
    asyncProperty(
      array(machine, { maxLength: 8 }),
      array(question, { minLength: 8, maxLength: 8 }),
      async (hall, questions) => {
        await stores.transaction(async (inner) => {
          for (const id of await inner.machines.ids()) await inner.machines.delete(id);
          await inner.waiting.sweep(true);
          for (const [n, { project, role, waiting, ...one }] of hall.entries()) {
            await inner.machines.put(
              uuid(n),
              create(apiV2.MachineSchema, {
                uuid: uuid(n),
                partition: { id: one.partition },
                size: { id: one.size },
                rack: one.rack,
                status: { condition: { state: one.state } },
                ...(project === '' ? {} : { allocation: { project, allocationType: role } }),
              }),
            );
            if (waiting) await inner.waiting.enter(uuid(n), `seat-${n}`);
          }
        });
        for (const { holder, role, number, scope, asking, ...asked } of questions) {
          const isOf = <T>(wanted: T | undefined, actual: T): boolean => wanted === undefined || wanted === actual;
          const fits = hall.flatMap((one, n) =>
            isOf(asked.partition, one.partition) &&
            isOf(asked.size, one.size) &&
            isOf(asked.rack, one.rack) &&
            isOf(asked.state, one.state) &&
            isOf(asked.waiting, one.waiting) &&
            isOf(asked.notAllocated, one.project === '') &&
            isOf(holder, one.project) &&
            (role === undefined || (one.project !== '' && one.role === role)) &&
            isOf(number, n) &&
            isOf(scope, one.partition) &&
            isOf(asking, one.project)
              ? [uuid(n)]
              : [],
          );
          const query = create(apiV2.MachineQuerySchema, {
            ...Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)),
            ...(holder === undefined && role === undefined
              ? {}
              : {
                  allocation: {
                    ...(holder === undefined ? {} : { project: holder.toUpperCase() }),
                    ...(role === undefined ? {} : { allocationType: role }),
                  },
                }),
            ...(number === undefined ? {} : { uuid: uuid(number).toUpperCase() }),
          });
          const found = await Array.fromAsync(
            machinesOf(stores, clock, query, { partition: scope, project: asking, longReads }),
          );
          expect(found.flat().map((one) => one.uuid)).toEqual(fits);
          const within = { partition: scope, project: asking, longReads };
          expect([...(await machineIdsOf(stores, query, within))]).toEqual(fits);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('a long list ends when whoever asked has left', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const stores = createStores(database, clock);
  await stores.transaction(async ({ machines }) => {
    for (let n = 0; n < 200; n += 1) await machines.put(`m${n}`, create(apiV2.MachineSchema, { uuid: `m${n}` }));
  });
  const leaving = new AbortController();
  const scope = { signal: leaving.signal, longReads: createLongReads() };
  let looks = 0;
  const reading = (async () => {
    for await (const machines of machinesOf(stores, clock, undefined, scope)) {
      looks += machines.length;
      leaving.abort(new Error('the client has left'));
    }
  })();
  await expect(reading).rejects.toThrow('the client has left');
  expect(looks).toBe(64);
});
