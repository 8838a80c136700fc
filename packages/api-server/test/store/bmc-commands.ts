import { apiV2 } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import type { BmcCommand, BmcCommandStore } from '../../src/store/bmc-command-store.ts';
import { createStores } from '../../src/store/stores.ts';
import type { Place } from './conformance/place.ts';

const {
  MACHINE_BMC_COMMAND_ON: ON,
  MACHINE_BMC_COMMAND_OFF: OFF,
  MACHINE_BMC_COMMAND_RESET: RESET,
  MACHINE_BMC_COMMAND_CYCLE: CYCLE,
  MACHINE_BMC_COMMAND_IDENTIFY_LED_ON: LED_ON,
  MACHINE_BMC_COMMAND_BOOT_FROM_PXE: PXE,
  MACHINE_BMC_COMMAND_MACHINE_DELETED: DELETED,
} = apiV2.MachineBMCCommand;
const MINUTE_MS = 60_000;

interface Kit {
  readonly commands: BmcCommandStore;
  readonly order: (id: string, machine: string, command: apiV2.MachineBMCCommand) => Promise<void>;
  /** The ids of what can be taken now. */
  readonly takeAll: () => Promise<string[]>;
  /** Lets time pass without anybody who takes anything. */
  readonly pass: (ms: number) => Promise<void>;
  readonly find: (id: string) => Promise<BmcCommand | undefined>;
}

async function inPlace(makePlace: () => Promise<Place>, work: (kit: Kit) => Promise<void>): Promise<void> {
  await using place = await makePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const { bmcCommands: commands } = createStores(database, clock);
  await work({
    commands,
    async order(id, machine, command) {
      await commands.add(id, machine, 'lab', command);
      await clock.advance(1);
    },
    async takeAll() {
      const ids: string[] = [];
      for (let taken = await commands.take('lab'); taken !== undefined; taken = await commands.take('lab'))
        ids.push(taken.id);
      return ids;
    },
    pass: (ms) => clock.advance(ms),
    find: (id) => commands.get(id),
  });
}

/** What every database must do with commands for management controllers. */
export function bmcCommandConformance(makePlace: () => Promise<Place>): void {
  const kit = (work: (kit: Kit) => Promise<void>): Promise<void> => inPlace(makePlace, work);

  test('the commands of a machine are given out one after the other, those of others meanwhile', () =>
    kit(async ({ order, takeAll, commands }) => {
      await order('1', 'a', OFF);
      await order('2', 'a', ON);
      await order('3', 'b', ON);
      expect(await takeAll()).toEqual(['1', '3']);
      await commands.done('1', 'BMC_REFUSED: no');
      expect(await takeAll()).toEqual(['2']);
    }));

  test.each([RESET, CYCLE])(
    'command %i is given out once, and its result is that nobody knows when its worker was killed',
    (command) =>
      kit(async ({ order, takeAll, pass, find, commands }) => {
        await order('1', 'a', command);
        expect(await takeAll()).toEqual(['1']);
        await pass(2 * MINUTE_MS - 1000);
        expect(await takeAll()).toEqual([]);
        expect((await find('1'))?.doneAt).toBeUndefined();
        await pass(1000);
        // Whether a worker asks or none does.
        await commands.settle();
        expect((await find('1'))?.error).toMatch(
          /^BMC_UNKNOWN: not known whether it was done: the worker that took it/,
        );
        expect(await takeAll()).toEqual([]);
        // A worker that was only cut off knows, and is believed, once.
        expect(await commands.done('1', undefined)).toBe(true);
        expect(await find('1')).toMatchObject({ error: undefined, failedAt: undefined });
        expect(await commands.done('1', 'BMC_REFUSED: no')).toBe(false);
      }),
  );

  test('what can be done twice is given out again, and has a result when that never helps', () =>
    kit(async ({ order, takeAll, pass, find }) => {
      await order('1', 'a', ON);
      for (let tried = 0; tried < 5; tried += 1) {
        expect(await takeAll()).toEqual(['1']);
        await pass(2 * MINUTE_MS);
      }
      expect(await takeAll()).toEqual([]);
      expect((await find('1'))?.error).toMatch(/^BMC_UNKNOWN: .* workers took it 5 times, and none told a result/);
    }));

  test('what was overtaken is not given out again: it would undo what was ordered since', () =>
    kit(async ({ order, takeAll, pass, find, commands }) => {
      await order('off', 'a', OFF);
      await order('led', 'a', LED_ON);
      expect(await takeAll()).toEqual(['off']);
      await order('on', 'a', ON);
      await pass(2 * MINUTE_MS);
      expect(await takeAll()).toEqual(['led']);
      expect((await find('off'))?.error).toMatch(/^BMC_UNKNOWN: .* since "on" was ordered after it/);
      await commands.done('led', undefined);
      expect(await takeAll()).toEqual(['on']);
    }));

  test('what nobody takes has a result after ten minutes', () =>
    kit(async ({ order, pass, find, commands, takeAll }) => {
      await order('1', 'a', RESET);
      await pass(10 * MINUTE_MS - 1000);
      await commands.settle();
      expect((await find('1'))?.doneAt).toBeUndefined();
      await pass(1000);
      await commands.settle();
      expect((await find('1'))?.error).toMatch(/^BMC_NOT_TAKEN: nobody took it in time/);
      expect(await takeAll()).toEqual([]);
    }));

  test('the restart of a machine that was given back is tried again until it is done, and not when it was overtaken', () =>
    kit(async ({ order, takeAll, pass, find, commands }) => {
      await order('1', 'a', DELETED);
      for (const pauseMs of [30_000, 60_000, 120_000]) {
        expect(await takeAll()).toEqual(['1']);
        expect(await commands.done('1', 'BMC_UNREACHABLE: no answer')).toBe(true);
        expect(await find('1')).toMatchObject({ doneAt: undefined, error: 'BMC_UNREACHABLE: no answer' });
        await pass(pauseMs - 1000);
        expect(await takeAll()).toEqual([]);
        await pass(1000);
      }
      expect(await takeAll()).toEqual(['1']);
      expect(await commands.done('1', undefined)).toBe(true);
      expect(await find('1')).toMatchObject({ error: undefined, retried: 3 });

      await order('2', 'b', DELETED);
      expect(await takeAll()).toEqual(['2']);
      await commands.done('2', 'BMC_UNREACHABLE: no answer');
      await order('3', 'b', PXE);
      await pass(MINUTE_MS);
      expect(await takeAll()).toEqual(['3']);
      expect((await find('2'))?.error).toBe(
        'BMC_UNREACHABLE: no answer; not tried again since "boot-from-pxe" was ordered after it',
      );

      await order('4', 'c', DELETED);
      for (let tries = 0; tries < 200 && (await find('4'))?.doneAt === undefined; tries += 1) {
        if ((await takeAll()).includes('4')) await commands.done('4', 'BMC_UNREACHABLE: no answer');
        await pass(10 * MINUTE_MS);
      }
      const given = await find('4');
      expect(given?.error).toBe('BMC_UNREACHABLE: no answer');
      expect(given?.retried).toBeGreaterThan(50);
    }));
}
