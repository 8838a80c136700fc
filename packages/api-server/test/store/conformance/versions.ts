import { Code } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { tablesOf } from '../../../src/backup/tables.ts';
import { migrations } from '../../../src/store/migrations/index.ts';
import { createStores } from '../../../src/store/stores.ts';
import { failure } from '../../support.ts';
import { lab, type Place } from './place.ts';

/** That a database of each earlier version is brought up to date, and that it ends well. */
export function versionsConform(place: () => Promise<Place>): void {
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
