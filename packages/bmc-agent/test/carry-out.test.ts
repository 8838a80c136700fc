import { apiV2 } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { carryOut, isRepeatable } from '../src/carry-out.ts';
import type { BmcController } from '../src/controller.ts';
import { BmcError, BmcErrorCode } from '../src/errors.ts';

const { MachineBMCCommand: Command } = apiV2;

/** A machine that follows its BMC, or does not. */
function machine(on: boolean, follows = true): { bmc: BmcController; done: string[] } {
  const done: string[] = [];
  let isOn = on;
  const bmc: BmcController = {
    isOn: () => Promise.resolve(isOn),
    power(action) {
      done.push(action);
      if (follows) isOn = action !== 'off';
      return Promise.resolve();
    },
    bootNext(device) {
      done.push(`boot ${device}`);
      return Promise.resolve();
    },
    identify(lit) {
      done.push(lit ? 'lit' : 'dark');
      return Promise.resolve();
    },
  };
  return { bmc, done };
}

const options = () => ({ clock: new MockClock(), signal: new AbortController().signal });

describe('a command', () => {
  test.each([
    [Command.MACHINE_BMC_COMMAND_ON, ['on'], []],
    [Command.MACHINE_BMC_COMMAND_OFF, [], ['off']],
    [Command.MACHINE_BMC_COMMAND_CYCLE, ['on'], ['cycle']],
    [Command.MACHINE_BMC_COMMAND_BOOT_TO_BIOS, ['boot bios'], ['boot bios']],
    [Command.MACHINE_BMC_COMMAND_BOOT_FROM_DISK, ['boot disk'], ['boot disk']],
    [Command.MACHINE_BMC_COMMAND_BOOT_FROM_PXE, ['boot pxe'], ['boot pxe']],
    [Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON, ['lit'], ['lit']],
    [Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_OFF, ['dark'], ['dark']],
    [Command.MACHINE_BMC_COMMAND_MACHINE_DELETED, ['boot pxe', 'on'], ['boot pxe', 'reset']],
    [Command.MACHINE_BMC_COMMAND_MACHINE_CREATED, ['boot disk'], ['boot disk']],
  ])('%i does what it should to a machine that is off, and to one that is on', async (command, whenOff, whenOn) => {
    const [off, on] = [machine(false), machine(true)];
    await carryOut(command, off.bmc, options());
    await carryOut(command, on.bmc, options());
    expect([off.done, on.done]).toEqual([whenOff, whenOn]);
  });

  test('to reset restarts a machine that is on', async () => {
    const { bmc, done } = machine(true);
    await carryOut(Command.MACHINE_BMC_COMMAND_RESET, bmc, options());
    expect(done).toEqual(['reset']);
  });

  test('to reset is refused for a machine that is off', async () => {
    const { bmc, done } = machine(false);
    await expect(carryOut(Command.MACHINE_BMC_COMMAND_RESET, bmc, options())).rejects.toMatchObject({
      code: 'BMC_MACHINE_OFF',
    });
    expect(done).toEqual([]);
  });

  test('that this worker does not know touches nothing', async () => {
    const { bmc, done } = machine(true);
    await expect(carryOut(Command.MACHINE_BMC_COMMAND_UNSPECIFIED, bmc, options())).rejects.toMatchObject({
      code: 'BMC_UNSUPPORTED',
    });
    expect(done).toEqual([]);
  });

  test.each([
    [true, Command.MACHINE_BMC_COMMAND_OFF, 'still on, not off'],
    [false, Command.MACHINE_BMC_COMMAND_ON, 'still off, not on'],
  ])('that the machine, which is on: %s, does not follow is an error after 30 s', async (isOn, command, words) => {
    const clock = new MockClock();
    const { bmc, done } = machine(isOn, false);
    let isOver = false;
    const failed = expect(
      carryOut(command, bmc, { clock, signal: new AbortController().signal }).finally(() => {
        isOver = true;
      }),
    ).rejects.toMatchObject({ code: 'BMC_NOT_DONE', message: expect.stringContaining(words) });
    await clock.advance(29_000);
    expect(isOver).toBe(false);
    await clock.advance(2_000);
    await failed;
    expect(done).toHaveLength(1);
  });

  test('that is followed late is done when it is', async () => {
    const clock = new MockClock();
    const { bmc, done } = machine(false, false);
    const late = { ...bmc, isOn: () => Promise.resolve(clock.monotonic() >= 5_000) };
    const switched = carryOut(Command.MACHINE_BMC_COMMAND_ON, late, { clock, signal: new AbortController().signal });
    await clock.advance(5_000);
    await switched;
    expect(done).toEqual(['on']);
  });

  describe('to cycle the power', () => {
    const refusing = (on: boolean, code: BmcErrorCode) => {
      const { bmc, done } = machine(on);
      const power: BmcController['power'] = (action) =>
        action === 'cycle' ? Promise.reject(new BmcError(code, 'no')) : bmc.power(action);
      return { bmc: { ...bmc, power }, done };
    };

    test('of a BMC that knows none takes its two halves', async () => {
      const { bmc, done } = refusing(true, BmcErrorCode.Unsupported);
      await carryOut(Command.MACHINE_BMC_COMMAND_CYCLE, bmc, options());
      expect(done).toEqual(['off', 'on']);
    });

    test('that fails otherwise switches nothing', async () => {
      const { bmc, done } = refusing(true, BmcErrorCode.Timeout);
      const cycled = carryOut(Command.MACHINE_BMC_COMMAND_CYCLE, bmc, options());
      await expect(cycled).rejects.toMatchObject({ code: BmcErrorCode.Timeout });
      expect(done).toEqual([]);
    });
  });

  test('is given twice unless it restarts a machine in use', () => {
    const once = Object.values(Command).filter((command) => !isRepeatable(command));
    expect(once.toSorted((a, b) => a - b)).toEqual(
      [Command.MACHINE_BMC_COMMAND_RESET, Command.MACHINE_BMC_COMMAND_CYCLE].toSorted((a, b) => a - b),
    );
  });
});
