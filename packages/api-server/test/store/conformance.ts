import { AsyncLocalStorage } from 'node:async_hooks';
import { apiV2, Code, create } from '@ingot/api';
import { MockClock, type Clock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { tablesOf } from '../../src/backup/tables.ts';
import type { Database } from '../../src/store/database.ts';
import { UniqueViolation } from '../../src/store/errors.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { Overtaken } from '../../src/store/overtaken.ts';
import type { PortConnection } from '../../src/store/port-store.ts';
import { number } from '../../src/store/row.ts';
import { createStores } from '../../src/store/stores.ts';
import { failure, machineA, machineB, until } from '../support.ts';

/** One place with data: every `open` is another server on it. */
export interface Place extends AsyncDisposable {
  open(clock?: Clock, upToVersion?: number): Promise<Database>;
}

const lab = (description = ''): apiV2.Partition => create(apiV2.PartitionSchema, { id: 'lab', description });

/** What every database must do, whichever it is. `place` makes an empty one. */
export function storeConformance(place: () => Promise<Place>): void {
  const withDatabase = async (work: (database: Database, clock: MockClock) => Promise<void>): Promise<void> => {
    await using home = await place();
    const clock = new MockClock();
    await using database = await home.open(clock);
    await work(database, clock);
  };

  describe('a transaction', () => {
    test('stores all or nothing, inner ones included', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        const work = stores.transaction(async (outer) => {
          await outer.partitions.put('lab', lab());
          await outer.transaction((inner) => inner.partitions.put('lab2', lab()));
          throw new Error('changed my mind');
        });
        await expect(work).rejects.toThrow('changed my mind');
        expect(await stores.partitions.list()).toEqual([]);
      }));

    test('sees what it has written; nobody else does until it ends', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        const written = Promise.withResolvers<void>();
        const goOn = Promise.withResolvers<void>();
        const work = stores.transaction(async (inner) => {
          await inner.partitions.put('lab', lab());
          written.resolve();
          await goOn.promise;
          return inner.partitions.count();
        });
        await written.promise;
        expect(await stores.partitions.count()).toBe(0);
        goOn.resolve();
        expect(await work).toBe(1);
        expect(await stores.partitions.count()).toBe(1);
      }));

    test('is undone by an error in it, although somebody caught that', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        await stores.partitions.create('lab', lab());
        const work = stores.transaction(async (inner) => {
          await inner.partitions.put('lab2', lab());
          await inner.partitions.create('lab', lab()).catch(() => undefined);
        });
        expect((await failure(work)).code).toBe(Code.AlreadyExists);
        expect(await stores.partitions.count()).toBe(1);
      }));

    test('may not be gone around, and is over when it is over', () =>
      withDatabase(async (database) => {
        await expect(database.transaction(() => database.get('SELECT 1'))).rejects.toThrow(
          'a transaction is open here',
        );
        await expect(database.transaction(() => database.run('SELECT 1'))).rejects.toThrow(
          'a transaction is open here',
        );
        const late = await database.transaction((session) => ({ session }));
        await expect(late.session.get('SELECT 1')).rejects.toThrow('this transaction has ended');
      }));

    test('that only reads does not write', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        await expect(
          stores.transaction((inner) => inner.partitions.put('lab', lab()), { mode: 'read' }),
        ).rejects.toThrow('only reads');
        expect(await stores.transaction((inner) => inner.partitions.list(), { mode: 'read' })).toEqual([]);
      }));

    test('that only reads sees one state throughout', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        // Runs like another request, to which this transaction is none of its own.
        const outside = AsyncLocalStorage.snapshot();
        const counts = await stores.transaction(
          async (inner) => {
            const before = await inner.partitions.count();
            await outside(() => stores.partitions.put('lab', lab()));
            return [before, await inner.partitions.count()];
          },
          { mode: 'read' },
        );
        expect(counts).toEqual([0, 0]);
        expect(await stores.partitions.count()).toBe(1);
      }));

    test('behaves as if it were alone: no update of a counter is lost', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        await stores.partitions.put('lab', lab('0'));
        const increment = (): Promise<unknown> =>
          stores.transaction(async (inner) => {
            const { value } = await inner.partitions.need('lab');
            await inner.partitions.put('lab', lab(`${Number(value.description) + 1}`));
          });
        await Promise.all(Array.from({ length: 25 }, increment));
        expect(await stores.partitions.need('lab')).toMatchObject({ value: { description: '25' }, generation: 26 });
      }));

    test('with a key runs after the others with the same key', () =>
      withDatabase(async (database) => {
        let inside = 0;
        let most = 0;
        const work = (): Promise<void> =>
          database.transaction(
            async (session) => {
              inside += 1;
              most = Math.max(most, inside);
              await session.get('SELECT 1');
              await session.get('SELECT 2');
              inside -= 1;
            },
            { serialise: 'allocate:lab' },
          );
        await Promise.all(Array.from({ length: 20 }, work));
        expect(most).toBe(1);
        const tooLate = database.transaction((session) => session.transaction(() => 1, { serialise: 'x' }));
        await expect(tooLate).rejects.toThrow('open the outer transaction with the key "x"');
      }));
  });

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

  describe('a port', () => {
    const at = (port: string, machineId: string, mac?: string): PortConnection => ({
      switchId: 'leaf',
      port,
      identifier: `id of ${port}`,
      mac,
      machineId,
    });

    test('is one machine’s until that leaves it, and its VRF is its own', () =>
      withDatabase(async (database, clock) => {
        const { ports } = createStores(database, clock);
        expect(await ports.claim(at('p2', machineA))).toBe(true);
        expect(await ports.claim(at('p1', machineB))).toBe(true);
        expect(await ports.claim(at('p2', machineB))).toBe(false);
        expect(await ports.claim(at('p2', machineA, '52:54:00:00:00:02'))).toBe(true);
        expect(await ports.ownerOf('leaf', 'p2')).toBe(machineA);
        expect(await ports.ownerOf('leaf', 'p3')).toBeUndefined();
        await ports.setVrf('leaf', 'p2', 'vrf1');
        await ports.setVrf('leaf', 'p2', 'vrf2');
        await ports.setVrf('leaf', 'p3', 'vrf3');
        await ports.setVrf('leaf', 'p3', undefined);
        expect(await ports.of('leaf')).toEqual({
          connections: [at('p1', machineB), at('p2', machineA, '52:54:00:00:00:02')],
          vrfs: new Map([['p2', 'vrf2']]),
        });
        expect(await ports.ofMachine(machineA)).toEqual([at('p2', machineA, '52:54:00:00:00:02')]);
        await ports.release(at('p2', machineB));
        expect(await ports.ownerOf('leaf', 'p2')).toBe(machineA);
        await ports.release(at('p2', machineA));
        await ports.clearVrfs('leaf');
        const many = await ports.ofMany(['other', 'leaf']);
        expect([...many]).toEqual([
          ['other', { connections: [], vrfs: new Map() }],
          ['leaf', { connections: [at('p1', machineB)], vrfs: new Map() }],
        ]);
      }));
  });

  describe('values', () => {
    test('come back as they went in', () =>
      withDatabase(async (database) => {
        const odd = 'a "quoted" \'text\' with ? and $1, \u{1f5a5}, \\ and \n';
        const row = await database.get("SELECT count(*) AS n FROM secret WHERE name = ? AND value <> '?'", odd);
        expect(row).toEqual({ n: 0 });
        await database.run('INSERT INTO secret (name, value) VALUES (?, ?)', 'x', odd);
        expect(await database.get('SELECT value FROM secret WHERE name = ? -- really?', 'x')).toEqual({ value: odd });
        await database.run('INSERT INTO event (machine, at, type, message) VALUES (?, ?, 1, ?)', 'm', 2 ** 53 - 1, '');
        expect(number((await database.get('SELECT at FROM event')) ?? {}, 'at')).toBe(2 ** 53 - 1);
      }));

    test('that one database could not keep are refused by both', () =>
      withDatabase(async (database) => {
        const insert = (name: string | number): Promise<number> =>
          database.run("INSERT INTO secret (name, value) VALUES (?, '')", name);
        expect((await failure(insert('a\0b'))).code).toBe(Code.InvalidArgument);
        await expect(insert(1.5)).rejects.toThrow('1.5 is no whole number');
        await insert('a');
        await expect(insert('a')).rejects.toThrow(UniqueViolation);
      }));
  });

  describe('notifications', () => {
    test('come with the commit, in order, and not when there is none', () =>
      withDatabase(async (database, clock) => {
        const stores = createStores(database, clock);
        const heard: (string | undefined)[] = [];
        using subscription = database.subscribe('machine', (payload) => heard.push(payload));
        using other = database.subscribe('switch', () => heard.push('switch?'));
        const put = (id: string): Promise<unknown> =>
          stores.transaction(async (inner) => {
            const allocation = create(apiV2.MachineAllocationSchema, { uuid: `for ${id}` });
            await inner.machines.put(id, create(apiV2.MachineSchema, { uuid: id, allocation }));
            if (id === 'bad') throw new Error('no');
          });
        await put(machineA);
        await expect(put('bad')).rejects.toThrow('no');
        await put(machineB);
        // The same again is no change.
        await put(machineB);
        // Nobody waits for this one.
        await stores.machines.edit(machineB, (machine) => void (machine.room = 'r1'));
        await database.notify('machine', 'end');
        await until(() => heard.includes('end'));
        expect([subscription, other]).toHaveLength(2);
        expect(heard.filter((payload) => payload !== undefined)).toEqual([machineA, machineB, 'end']);
      }));
  });

  describe('events', () => {
    test('keep the newest hundred of each machine', () =>
      withDatabase(async (database, clock) => {
        const { events } = createStores(database, clock);
        const reboot = apiV2.MachineProvisioningEventType.PLANNED_REBOOT;
        for (let index = 0; index < 130; index += 1) await events.add(machineA, reboot, `${index}`);
        await events.add(machineB, reboot, '');
        const kept = (await events.of(machineA)).recent.events.map((event) => event.message);
        expect(kept).toHaveLength(100);
        expect([kept[0], kept[99]]).toEqual(['129', '30']);
        const many = await events.ofMany([machineA, machineB, 'nobody']);
        expect([many.size, many.get(machineA)?.recent.events.length, many.get(machineB)?.recent.events.length]).toEqual(
          [2, 100, 1],
        );
        await events.delete(machineA);
        expect((await events.of(machineA)).recent.events).toEqual([]);
      }));

    test('come after what was read before, and after nothing else', () =>
      withDatabase(async (database, clock) => {
        const { events } = createStores(database, clock);
        const { PREPARING, REGISTERING } = apiV2.MachineProvisioningEventType;
        const none = await events.container(machineA);
        const first = await events.add(machineA, PREPARING, 'a', none);
        expect(first).toMatchObject({ revision: 1, kept: 1, newest: { type: PREPARING, message: 'a' } });
        expect(await events.container(machineA)).toEqual(first);
        expect([...(await events.containers([machineB, machineA]))]).toEqual([[machineA, first]]);
        await expect(events.add(machineA, REGISTERING, 'late', none)).rejects.toThrow(Overtaken);
        const second = await events.add(machineA, REGISTERING, 'b', first);
        await expect(events.add(machineA, REGISTERING, 'late', first)).rejects.toThrow(Overtaken);
        await events.delete(machineA);
        await expect(events.add(machineA, REGISTERING, 'gone', second)).rejects.toThrow(Overtaken);
        expect((await events.of(machineA)).recent.events).toEqual([]);
      }));
  });

  describe('a database', () => {
    test.each(migrations.slice(1).map((_script, index) => index + 1))(
      'of version %i is brought up to date',
      async (version) => {
        await using home = await place();
        await using fresh = await place();
        const clock = new MockClock();
        // From version 5 on its own columns are written with a body, which is what these rows show for older ones.
        const before = await home.open(clock, Math.min(version, 4));
        await before.run("INSERT INTO secret (name, value) VALUES ('kept', 'x')");
        await before.run(
          "INSERT INTO machine (id, body, generation, created_at, updated_at, partition) VALUES ('m', '{}', 7, 1, 2, 'lab')",
        );
        // As any version has stored it, an odd text of firmware included.
        await before.run(
          "INSERT INTO machine (id, body, generation, created_at, updated_at, partition) VALUES ('n', ?, 1, 1, 2, 'lab')",
          String.raw`{"rack":"r1","room":"a\u0000b","status":{"condition":{"state":"MACHINE_STATE_LOCKED"}},` +
            '"meta":{"labels":{"labels":{"ingot.dev/wipe":"o1"}}},"allocation":{"project":"p",' +
            '"allocationType":"MACHINE_ALLOCATION_TYPE_FIREWALL","placementLabels":{"labels":{"tier":"web"}}}}',
        );
        await before.run(
          "INSERT INTO switch (id, body, generation, created_at, updated_at, partition) VALUES ('s', ?, 1, 1, 2, 'lab')",
          '{"id":"s","description":"a \\"b\\" ä","nics":[{"name":"a","identifier":"ia","mac":"m1","vrf":"vrf7"},{"name":"b"},' +
            '{"name":"c","vrf":"default","state":{"desired":"SWITCH_PORT_STATUS_UP"}}],"machineConnections":[{"machineId":"n",' +
            '"nic":{"name":"b"}},{"machineId":"n","nic":{"name":"a","identifier":"ia","mac":"m1"}},{"machineId":"m"}],"rack":"r1"}',
        );
        await before.run(
          "INSERT INTO switch (id, body, generation, created_at, updated_at, partition) VALUES ('t', '{}', 1, 1, 2, 'lab')",
        );
        await before.run("INSERT INTO event (machine, at, type, message) VALUES ('m', 2, 7, 'd')");
        await before.run("INSERT INTO event (machine, at, type, message) VALUES ('m', 3, 1, 'e')");
        await before.run(
          "INSERT INTO event_container (machine, last_event_at, crash_loop, failed_reclaim) VALUES ('m', 4, 1, 0), ('n', 5, 0, 0)",
        );
        await before.run('INSERT INTO switch_status (id, body) VALUES (?, ?)', 's', '{"id":"s"}');
        await before.run('INSERT INTO machine_bmc (id, body) VALUES (\'m\', \'{"uuid":"m"}\')');
        await before.close();
        await (await home.open(clock, version)).close();
        await using after = await home.open(clock);
        await using made = await fresh.open(clock);
        expect(await tablesOf(after, after.dialect)).toEqual(await tablesOf(made, made.dialect));
        expect(await createStores(after, clock).machines.get('m')).toMatchObject({
          generation: 7,
          createdAt: 1,
          updatedAt: 2,
        });
        expect(await after.all('SELECT id, rack, state, role, placement, wipe FROM machine ORDER BY id')).toEqual([
          { id: 'm', rack: '', state: 0, role: 0, placement: '', wipe: 0 },
          { id: 'n', rack: 'r1', state: 2, role: 2, placement: '{"tier":"web"}', wipe: 1 },
        ]);
        const { machines, switches, switchStatus, ports, events, bmcs } = createStores(after, clock);
        expect(await ports.of('s')).toEqual({
          connections: [
            { switchId: 's', port: '', identifier: '', mac: undefined, machineId: 'm' },
            { switchId: 's', port: 'a', identifier: 'ia', mac: 'm1', machineId: 'n' },
            { switchId: 's', port: 'b', identifier: '', mac: undefined, machineId: 'n' },
          ],
          vrfs: new Map([
            ['a', 'vrf7'],
            ['c', 'default'],
          ]),
        });
        expect(await after.all('SELECT body, generation FROM switch ORDER BY id')).toEqual([
          {
            body:
              '{"id":"s","description":"a \\"b\\" ä","nics":[{"name":"a","identifier":"ia","mac":"m1"},{"name":"b"},' +
              '{"name":"c","state":{"desired":"SWITCH_PORT_STATUS_UP"}}],"rack":"r1"}',
            generation: 1,
          },
          { body: '{}', generation: 1 },
        ]);
        expect(await events.container('m')).toEqual({
          revision: 1,
          kept: 2,
          newest: { at: 3, type: 1, message: 'e' },
          lastEventAt: 4,
          lastError: undefined,
          crashLoop: true,
          failedReclaim: false,
        });
        expect(await events.container('n')).toMatchObject({ kept: 0, newest: undefined, lastEventAt: 5 });
        expect((await bmcs.get('m'))?.uuid).toBe('m');
        expect((await switchStatus.get('s')).id).toBe('s');
        // What the program writes are the same columns.
        await machines.edit('n', (machine) => void (machine.room = 'b'));
        await switches.edit('s', (leaf) => void (leaf.rack = 'r2'));
        expect(await after.get("SELECT rack, state, role, placement, wipe FROM machine WHERE id = 'n'")).toEqual({
          rack: 'r1',
          state: 2,
          role: 2,
          placement: '{"tier":"web"}',
          wipe: 1,
        });
        expect(await after.all('SELECT message FROM event ORDER BY sequence')).toEqual([
          { message: 'd' },
          { message: 'e' },
        ]);
        expect(await after.get('SELECT value FROM secret')).toEqual({ value: 'x' });
      },
    );

    test('keeps what it has when it is closed and opened, and refuses what comes after the end', async () => {
      await using home = await place();
      const clock = new MockClock();
      const first = await home.open(clock);
      expect(await first.state()).toEqual({ ok: true });
      const stores = createStores(first, clock);
      const late = stores.partitions.put('lab', lab());
      const goOn = Promise.withResolvers<void>();
      const reading = stores.transaction(
        async (inner) => {
          const before = await inner.partitions.count();
          await goOn.promise;
          return [before, await inner.partitions.count()];
        },
        { mode: 'read' },
      );
      const closed = first.close();
      await late;
      goOn.resolve();
      const [before, after] = await reading;
      expect(after).toBe(before);
      await closed;
      await first.close();
      expect((await failure(first.run('DELETE FROM partition'))).code).toBe(Code.Unavailable);
      expect((await failure(first.get('SELECT 1'))).code).toBe(Code.Unavailable);
      expect(await first.state()).toMatchObject({ ok: false });
      await using second = await home.open(clock);
      expect(await createStores(second, clock).partitions.count()).toBe(1);
    });
  });
}
