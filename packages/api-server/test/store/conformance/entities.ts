import { apiV2, Code, create } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { Overtaken } from '../../../src/store/overtaken.ts';
import { createStores } from '../../../src/store/stores.ts';
import { failure, machineA, machineB } from '../../support.ts';
import { lab, type WithDatabase } from './place.ts';

/** What tables of messages promise. */
export function entitiesConform(withDatabase: WithDatabase): void {
  describe('an entity', () => {
    test('counts a generation for a change, and none for the same again', () =>
      withDatabase(async (database, clock) => {
        const { partitions } = createStores(database, clock);
        const first = await partitions.put('lab', lab());
        await clock.advance(1_000);
        expect(await partitions.put('lab', lab())).toEqual(first);
        const changed = await partitions.put('lab', lab('x'));
        expect(changed).toMatchObject({
          generation: 2,
          createdAt: first.createdAt,
          updatedAt: first.updatedAt + 1_000,
        });
        expect(await partitions.get('lab')).toEqual(changed);
      }));

    test('is not overwritten by who has not seen its last change', () =>
      withDatabase(async (database, clock) => {
        const { partitions } = createStores(database, clock);
        const { generation } = await partitions.create('lab', lab());
        await partitions.edit('lab', (partition) => void (partition.description = 'theirs'));
        for (const late of [partitions.update('lab', lab('mine'), generation), partitions.delete('lab', generation)]) {
          const { code, message } = await failure(late);
          expect(code).toBe(Code.Aborted);
          expect(message).toBe(
            'partition "lab" was changed by somebody else (generation 2, not 1): get it again, and repeat your change on it',
          );
        }
        expect(await partitions.update('lab', lab('mine'), 2)).toMatchObject({ generation: 3 });
        expect(await partitions.delete('lab', 3)).toBe(true);
        expect(await partitions.delete('lab')).toBe(false);
        expect((await failure(partitions.update('lab', lab(), 3))).code).toBe(Code.NotFound);
        expect((await failure(partitions.need('lab'))).message).toBe('there is no partition "lab"');
      }));

    test('is created once', () =>
      withDatabase(async (database, clock) => {
        const { partitions } = createStores(database, clock);
        const tries = await Promise.allSettled([1, 2, 3].map((n) => partitions.create('lab', lab(`${n}`))));
        expect(tries.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
        expect((await failure(partitions.create('lab', lab()))).message).toBe('there is a partition "lab" already');
      }));

    test('is found by its columns, in the order of its ID, byte by byte', () =>
      withDatabase(async (database, clock) => {
        const { machines } = createStores(database, clock);
        const inPartition = (uuid: string, id: string): apiV2.Machine =>
          create(apiV2.MachineSchema, { uuid, partition: { id } });
        for (const id of ['b', 'a', 'ä', 'Z']) await machines.put(id, inPartition(id, id === 'Z' ? 'lab' : 'other'));
        const ids = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
        expect(ids(await machines.list())).toEqual(['Z', 'a', 'b', 'ä']);
        expect(ids(await machines.list({ partition: 'other' }))).toEqual(['a', 'b', 'ä']);
        expect(ids(await machines.list({ partition: ['lab', 'nowhere'] }))).toEqual(['Z']);
        expect(await machines.list({ partition: [] })).toEqual([]);
        expect(await machines.count({ partition: 'other' })).toBe(3);
        const many = await machines.getMany([...Array.from({ length: 1_200 }, (_, n) => `m${n}`), 'b', 'a', 'a']);
        expect([...many.keys()].toSorted()).toEqual(['a', 'b']);
        await machines.put('a', inPartition('a', 'lab'));
        expect(ids(await machines.list({ partition: 'lab' }))).toEqual(['Z', 'a']);
      }));

    test('tells the IDs of many, and reads them a few at a time with a turn for others in between', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        const name = (n: number): string => `m${String(n).padStart(3, '0')}`;
        await stores.transaction(async ({ machines }) => {
          for (let n = 0; n < 130; n += 1) {
            const allocation = { project: n % 2 === 0 ? 'p_1%' : '', image: { id: n === 4 ? 'deb_12' : 'debX12' } };
            await machines.put(
              name(n),
              create(apiV2.MachineSchema, { uuid: name(n), partition: { id: n < 3 ? 'lab' : 'other' }, allocation }),
            );
          }
        });
        const { machines } = stores;
        expect(await machines.ids({ partition: 'lab' })).toEqual([name(0), name(1), name(2)]);
        expect(await machines.ids({ id: [name(7), 'none'] })).toEqual([name(7)]);
        expect(await machines.ids({ project: { not: '' }, partition: 'lab' })).toEqual([name(0), name(2)]);
        expect(await machines.ids({}, 'deb_12')).toEqual([name(4)]);
        expect(await machines.ids({ partition: 'lab' }, 'p_1%')).toEqual([name(0), name(2)]);
        expect(await machines.ids({}, 'none')).toEqual([]);
        const all = await machines.ids();
        expect(all).toHaveLength(130);
        const parts: number[] = [];
        const found: string[] = [];
        let turns = 0;
        const others = new AbortController();
        const meanwhile = (async () => {
          for (; !others.signal.aborted; turns += 1) await new Promise((resolve) => setImmediate(resolve));
        })();
        for await (const some of machines.some([...all, 'gone'])) {
          parts.push(turns);
          found.push(...some.map(({ id }) => id));
        }
        others.abort();
        await meanwhile;
        expect(found).toEqual(all);
        expect(parts).toHaveLength(3);
        expect(parts[1]).toBeGreaterThan(parts[0] ?? 0);
        expect(parts[2]).toBeGreaterThan(parts[1] ?? 0);
        expect(await Array.fromAsync(machines.some([]))).toEqual([]);
      }));

    test('tells of many machines what is known of their events and controllers', () =>
      withDatabase(async (database, clock) => {
        const { machines, events, bmcs } = createStores(database, clock);
        const { CRASHED, WAITING } = apiV2.MachineProvisioningEventType;
        await machines.put(machineA, create(apiV2.MachineSchema, { uuid: machineA }));
        await bmcs.put(machineA, create(apiV2.MachineBMCReportSchema, { uuid: machineA, bmc: { mac: 'aa' } }));
        await events.add(machineA, WAITING, 'first');
        await clock.advance(1_000);
        await events.add(machineA, CRASHED, 'then');
        await events.add(machineB, WAITING, 'only');
        const of = [machineA, machineB, 'none'];
        const containers = await events.containers(of);
        expect([...containers.keys()].toSorted()).toEqual([machineA, machineB].toSorted());
        for (const id of [machineA, machineB]) expect(containers.get(id)).toEqual(await events.container(id));
        expect(containers.get(machineA)?.newest?.message).toBe('then');
        expect([...(await bmcs.getMany(of))].map(([id, { bmc }]) => [id, bmc?.mac])).toEqual([[machineA, 'aa']]);
      }));

    test('takes its dependants with it', () =>
      withDatabase(async (database, clock) => {
        const { networks } = createStores(database, clock);
        const prefix = "INSERT INTO network_prefix (namespace, prefix, network) VALUES ('', '10.0.0.0/8', 'n')";
        await networks.put('n', create(apiV2.NetworkSchema, { id: 'n' }));
        await database.run(prefix);
        await networks.delete('n');
        expect(await database.all('SELECT prefix FROM network_prefix')).toEqual([]);
        await expect(database.run(prefix)).rejects.toThrow(/foreign key/i);
      }));

    test('is written over what was read before, and over nothing else', () =>
      withDatabase(async (database, clock) => {
        const { machines } = createStores(database, clock);
        const made = (room: string): apiV2.Machine => create(apiV2.MachineSchema, { uuid: machineA, room });
        const first = await machines.swap(undefined, machineA, made('a'));
        expect(first).toMatchObject({ generation: 1 });
        await expect(machines.swap(undefined, machineA, made('b'))).rejects.toThrow(Overtaken);
        await clock.advance(1_000);
        const second = await machines.swap(first, machineA, made('b'));
        expect(second).toMatchObject({ generation: 2, createdAt: first.createdAt, updatedAt: first.createdAt + 1_000 });
        expect(await machines.get(machineA)).toEqual(second);
        for (const late of [made('c'), made('a')])
          await expect(machines.swap(first, machineA, late)).rejects.toThrow(Overtaken);
        expect(await machines.swap(second, machineA, made('b'))).toEqual(second);
        expect(await machines.swap(second, machineA, made('b'), true)).toMatchObject({ generation: 3 });
        await machines.touch(machineA);
        const last = await machines.need(machineA);
        expect(last).toMatchObject({ generation: 4, value: { room: 'b' } });
        await machines.delete(machineA);
        for (const gone of [made('b'), made('c')])
          await expect(machines.swap(last, machineA, gone)).rejects.toThrow(Overtaken);
        expect(await machines.has(machineA)).toBe(false);
      }));
  });
}
