import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { isUuid } from './find.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags } from '../options.ts';

interface WipeFlags extends ContextFlags {
  readonly cancel?: boolean;
}

/** `ingot machine wipe`. The whole uuid is asked for: the beginning of one may be another machine's tomorrow. */
export function addMachineWipeCommand(machine: Command, io: CliIo): void {
  withApiFlags(
    machine
      .command('wipe')
      .description('order a machine that is not allocated to erase all its disks before it waits again')
      .argument('<uuid>', 'its whole uuid')
      .option('--cancel', 'take the open order back; what is erased by then stays erased'),
  ).action(async (uuid: string, flags: WipeFlags) => {
    if (!isUuid(uuid))
      throw new CliError(
        CliErrorCode.Argument,
        `"${uuid}" is no whole uuid; write it out, as ingot machine ls shows it`,
      );
    const words = await withApi(flags, io, async ({ wipes }) => {
      if (flags.cancel !== true) return `ordered: ${(await wipes.order({ uuid }, call)).order}`;
      const { order } = await wipes.cancel({ uuid }, call);
      return order === '' ? 'there was no open order' : `cancelled: ${order}`;
    });
    io.stdout(`${words}\n`);
  });
}
