import { apiV2, Code, create } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { UniqueViolation } from '../../../src/store/errors.ts';
import { Overtaken } from '../../../src/store/overtaken.ts';
import type { PortConnection } from '../../../src/store/port-store.ts';
import { number } from '../../../src/store/row.ts';
import { createStores } from '../../../src/store/stores.ts';
import { failure, machineA, machineB, until } from '../../support.ts';
import { type WithDatabase } from './place.ts';

/** What ports, values, events and notifications are like, which are no messages. */
export function rowsConform(withDatabase: WithDatabase): void {
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
}
