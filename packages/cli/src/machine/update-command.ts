import { apiV2, create } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { findMachine } from './find.ts';
import type { CliIo } from '../io.ts';
import { withApiFlags } from '../options.ts';

interface UpdateFlags extends ContextFlags {
  readonly addLabel?: readonly string[];
  readonly removeLabel?: readonly string[];
}

/** `ingot machine update`, after metalctl's `--add-tags` and `--remove-tags`. */
export function addMachineUpdateCommand(machine: Command, io: CliIo): void {
  withApiFlags(
    machine
      .command('update')
      .description('label a machine: ingot.dev/no-reboot=<why> keeps it from planned reboots while it waits')
      .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
      .option('--add-label <key=value...>', 'labels to add, or to change')
      .option('--remove-label <key...>', 'labels to take away'),
  ).action(async (id: string, { addLabel = [], removeLabel = [], ...flags }: UpdateFlags) => {
    if (addLabel.length === 0 && removeLabel.length === 0)
      throw new CliError(
        CliErrorCode.Argument,
        'nothing is to change; add --add-label key=value or --remove-label key',
      );
    const labels = Object.fromEntries(addLabel.map(labelOf));
    const both = removeLabel.find((key) => key in labels);
    if (both !== undefined) throw new CliError(CliErrorCode.Argument, `${both} is to be added and to be removed`);
    const words = await withApi(flags, io, async (api) => {
      const { uuid } = await findMachine(api, id);
      const patch = create(apiV2.LabelsPatchSchema, { update: { labels }, remove: [...removeLabel] });
      const { labels: now } = await api.labels.update({ uuid, labels: patch }, call);
      const texts = Object.entries(now?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
      return `machine ${uuid} has ${texts.length === 0 ? 'no labels' : texts.toSorted().join(', ')}`;
    });
    io.stdout(`${words}\n`);
  });
}

function labelOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new CliError(CliErrorCode.Argument, `"${text}" is no label; write key=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}
