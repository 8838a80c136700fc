import { apiV2 } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { BmcController } from './controller.ts';
import { BmcError, BmcErrorCode } from './errors.ts';

const { MachineBMCCommand: Command } = apiV2;

export interface CarryOutOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

// A BMC tells the old state for some seconds.
const CONFIRM_MS = 30_000;
const LOOK_AGAIN_MS = 1000;

/**
 * Whether the API may give a command a second time, when its worker was killed before it could tell the result: on, off,
 * the boot device, the LED and MACHINE_CREATED change nothing then, and a machine that was given back may start once more.
 * A reset or a power cycle is not given twice: whoever ordered it is told that nobody knows.
 */
export function isRepeatable(command: apiV2.MachineBMCCommand): boolean {
  return command !== Command.MACHINE_BMC_COMMAND_RESET && command !== Command.MACHINE_BMC_COMMAND_CYCLE;
}

/**
 * Carries out one command of the API; resolves when the machine is as it says. Rejects with a BmcError, or the reason of
 * the signal.
 */
export async function carryOut(
  command: apiV2.MachineBMCCommand,
  bmc: BmcController,
  options: CarryOutOptions,
): Promise<void> {
  switch (command) {
    case Command.MACHINE_BMC_COMMAND_ON:
      return switchTo(bmc, true, options);
    case Command.MACHINE_BMC_COMMAND_OFF:
      return switchTo(bmc, false, options);
    case Command.MACHINE_BMC_COMMAND_RESET:
      if (!(await bmc.isOn()))
        throw new BmcError(
          BmcErrorCode.MachineOff,
          'the machine is off, and only one that is on can be reset: switch it on',
        );
      return bmc.power('reset');
    case Command.MACHINE_BMC_COMMAND_CYCLE:
      return (await bmc.isOn()) ? cycle(bmc, options) : switchTo(bmc, true, options);
    case Command.MACHINE_BMC_COMMAND_BOOT_TO_BIOS:
      return bmc.bootNext('bios');
    case Command.MACHINE_BMC_COMMAND_BOOT_FROM_DISK:
    case Command.MACHINE_BMC_COMMAND_MACHINE_CREATED:
      return bmc.bootNext('disk');
    case Command.MACHINE_BMC_COMMAND_BOOT_FROM_PXE:
      return bmc.bootNext('pxe');
    case Command.MACHINE_BMC_COMMAND_MACHINE_DELETED:
      await bmc.bootNext('pxe');
      return (await bmc.isOn()) ? bmc.power('reset') : switchTo(bmc, true, options);
    case Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON:
      return bmc.identify(true);
    case Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_OFF:
      return bmc.identify(false);
    case Command.MACHINE_BMC_COMMAND_UNSPECIFIED:
    default:
      throw new BmcError(BmcErrorCode.Unsupported, `command ${command} is not known to this worker: update it`);
  }
}

/** A BMC that has no power cycle gets its two halves. */
async function cycle(bmc: BmcController, options: CarryOutOptions): Promise<void> {
  try {
    await bmc.power('cycle');
  } catch (error) {
    if (!(error instanceof BmcError) || error.code !== BmcErrorCode.Unsupported) throw error;
    await switchTo(bmc, false, options);
    await switchTo(bmc, true, options);
  }
}

async function switchTo(bmc: BmcController, on: boolean, { clock, signal }: CarryOutOptions): Promise<void> {
  if ((await bmc.isOn()) === on) return;
  await bmc.power(on ? 'on' : 'off');
  const giveUpMs = clock.monotonic() + CONFIRM_MS;
  while ((await bmc.isOn()) !== on) {
    if (clock.monotonic() >= giveUpMs) {
      const [wanted, still] = on ? ['on', 'off'] : ['off', 'on'];
      throw new BmcError(
        BmcErrorCode.NotDone,
        `the BMC took the command, but the machine is still ${still}, not ${wanted}, after ${CONFIRM_MS / 1000} s: look at its power supplies and the log of the BMC`,
      );
    }
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}
