import { apiV2, create, timestampFromMs } from '@ingot/api';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { resurrection } from '../../src/machine/resurrect.ts';
import { createStores, type Stores } from '../../src/store/stores.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';
import { leaf } from '../support.ts';

const { MachineProvisioningEventType: Event, MachineState, MachineBMCCommand: Command } = apiV2;
const MINUTE_MS = 60_000;
const lost = 'aaaaaaaa-0000-4000-8000-000000000001';

interface Hall {
  readonly stores: Stores;
  readonly clock: MockClock;
  readonly log: MemoryLogger;
  /** A machine that waits, with a BMC that is on. */
  readonly waits: (id: string, change?: (machine: apiV2.Machine) => void) => Promise<void>;
  /** Time goes by, a look every ten minutes; the leaf of the partition speaks all the time, if it does. What the last did. */
  readonly pass: (minutes: number, leafSpeaks?: boolean) => Promise<unknown>;
  /** Machines whose start was ordered, in order. */
  readonly started: () => Promise<string[]>;
}

async function inHall(work: (hall: Hall) => Promise<void>): Promise<void> {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const stores = createStores(database, clock);
  const log = new MemoryLogger();
  let number = 0;
  const job = resurrection({ stores, clock, log, newId: () => `command-${String((number += 1)).padStart(4, '0')}` });
  await stores.partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab' }));
  await stores.switches.put('leaf01', leaf('leaf01'));
  await work({
    stores,
    clock,
    log,
    async waits(id, change) {
      const machine = create(apiV2.MachineSchema, {
        uuid: id,
        partition: { id: 'lab' },
        hardware: {},
        status: { condition: { state: MachineState.AVAILABLE } },
      });
      change?.(machine);
      await stores.machines.put(id, machine);
      await stores.bmcs.put(
        id,
        create(apiV2.MachineBMCReportSchema, { bmc: { address: '10.9.0.1:623', powerState: 'ON' } }),
      );
      await stores.events.add(id, Event.WAITING, '');
    },
    async pass(minutes, leafSpeaks = true) {
      let told: unknown;
      for (let passed = 0; passed < minutes; passed += 10) {
        await clock.advance(10 * MINUTE_MS);
        if (leafSpeaks) {
          const lastSync = { time: timestampFromMs(clock.now()) };
          await stores.switchStatus.put('leaf01', create(apiV2.SwitchSchema, { lastSync }));
        }
        told = await job.run(new AbortController().signal);
      }
      return told;
    },
    async started() {
      const rows = await database.all('SELECT machine, command FROM bmc_command ORDER BY id');
      return rows.map(({ machine, command }) => {
        expect(command).toBe(Command.MACHINE_BMC_COMMAND_MACHINE_DELETED);
        return String(machine);
      });
    },
  });
}

describe('a machine that nobody has', () => {
  test('is started anew when it was silent for an hour, and again an hour later', () =>
    inHall(async ({ waits, pass, started, stores, log }) => {
      await waits(lost);
      expect(await pass(50)).toBeUndefined();
      expect(await started()).toEqual([]);
      expect(await pass(10)).toEqual({ started: [lost] });
      expect(await started()).toEqual([lost]);
      const { newest } = await stores.events.container(lost);
      expect(newest).toMatchObject({ type: Event.MACHINE_RECLAIM, message: expect.stringContaining('silent for 60') });
      expect(log.records).toMatchObject([{ fields: { event: 'machine.resurrected', machine: lost } }]);
      await pass(50);
      expect(await started()).toHaveLength(1);
      await pass(10);
      expect(await started()).toHaveLength(2);
    }));

  test('is left alone as long as it speaks', () =>
    inHall(async ({ waits, pass, started, stores }) => {
      await waits(lost);
      for (let hour = 0; hour < 30; hour += 1) {
        await pass(10);
        await stores.events.add(lost, Event.ALIVE, '');
      }
      expect(await started()).toEqual([]);
    }));

  test('is started anew when its old system still runs an hour after it was freed', () =>
    inHall(async ({ waits, pass, started, stores }) => {
      await waits(lost);
      await stores.events.add(lost, Event.MACHINE_RECLAIM, 'free machine called');
      for (let times = 0; times < 7; times += 1) {
        await pass(10);
        await stores.events.add(lost, Event.PHONED_HOME, '');
      }
      expect((await stores.events.container(lost)).failedReclaim).toBe(true);
      expect(await started()).toEqual([lost]);
    }));

  test.each<[string, (machine: apiV2.Machine) => void]>([
    [
      'that somebody has',
      (machine) => void (machine.allocation = create(apiV2.MachineAllocationSchema, { project: 'p' })),
    ],
    ['that never registered', (machine) => void delete machine.hardware],
    ['that is locked', ({ status }) => void (status?.condition && (status.condition.state = MachineState.LOCKED))],
    ['that is tainted', ({ status }) => void (status?.condition && (status.condition.state = MachineState.TAINTED))],
    [
      'that an operator wants not to be rebooted',
      (machine) =>
        void (machine.meta = create(apiV2.MetaSchema, { labels: { labels: { 'ingot.dev/no-reboot': 'disks' } } })),
    ],
  ])('is not one %s', (_name, change) =>
    inHall(async ({ waits, pass, started }) => {
      await waits(lost, change);
      await pass(180);
      expect(await started()).toEqual([]);
    }),
  );

  test('is not switched on when it is off, by its BMC or by order', () =>
    inHall(async ({ waits, pass, started, stores }) => {
      await waits(lost);
      await stores.bmcs.put(
        lost,
        create(apiV2.MachineBMCReportSchema, { bmc: { address: '10.9.0.1:623', powerState: 'Power is OFF' } }),
      );
      const other = lost.replace(/1$/, '2');
      await waits(other);
      await stores.events.add(other, Event.PLANNED_REBOOT, 'power off was ordered');
      await pass(180);
      expect(await started()).toEqual([]);
    }));
});

describe('a partition', () => {
  test('of which nothing is heard has no machine started anew, nor at the first look afterwards', () =>
    inHall(async ({ waits, pass, started, stores }) => {
      await waits(lost);
      await pass(180, false);
      expect(await started()).toEqual([]);
      // The network is back; the machine, which was well all the time, says so a moment after the leaf.
      await pass(10);
      expect(await started()).toEqual([]);
      await stores.events.add(lost, Event.ALIVE, '');
      await pass(50);
      expect(await started()).toEqual([]);
      await pass(20);
      expect(await started()).toEqual([lost]);
    }));

  test('starts no more than twenty at once', () =>
    inHall(async ({ waits, pass, started }) => {
      for (let index = 10; index < 35; index += 1) await waits(lost.replace(/01$/, String(index)));
      await pass(60);
      expect(await started()).toHaveLength(20);
      await pass(10);
      expect(new Set(await started()).size).toBe(25);
    }));
});
