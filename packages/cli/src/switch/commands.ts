import { ApiError, apiV2, Code, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { type Api, call, longCall, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { compareNaturally, pick } from '../names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import type { Json } from '../output.ts';
import { given } from '../resources/given.ts';
import { addConnectedMachines } from './machines-command.ts';
import { addSwitchOperations } from './operations.ts';
import { addSwitchEditCommand } from './edit.ts';
import { switchColumns } from './table.ts';
import { fieldNames } from '../template/fields.ts';

interface SwitchListFlags extends ListFlags, ContextFlags {
  readonly id?: string;
  readonly partition?: string;
  readonly rack?: string;
}

const SWITCHES: ListView<apiV2.Switch> = {
  fields: fieldNames(apiV2.SwitchSchema),
  columns: switchColumns,
  json: switchJson,
  key: ({ id }) => id,
};

/** `ingot switch`. */
export function addSwitchCommands(program: Command, io: CliIo): void {
  const command = program.command('switch').description('show the switches, move what they have').helpCommand(false);

  withApiFlags(
    withListFlags(command.command('ls').alias('list').description('list the switches'), SWITCHES)
      .option('--id <id>', 'only this switch')
      .option('--partition <id>', 'only switches of this partition')
      .option('--rack <id>', 'only switches of this rack'),
  ).action((flags: SwitchListFlags) => {
    const { id, partition, rack } = flags;
    const query = { ...given('id', id), ...given('partition', partition), ...given('rack', rack) };
    return showApiList(flags, io, SWITCHES, async (api) =>
      (await api.switches.list({ query }, longCall)).switches.sort(byPlace),
    );
  });

  withApiFlags(
    withDescribeFlags(
      command
        .command('describe')
        .description('show all there is to know about a switch: ports, connected machines, last sync')
        .argument('<id>', 'its name, or the beginning of it'),
    ),
  ).action(async (id: string, flags: DescribeFlags & ContextFlags) => {
    const found = await withApi(flags, io, async (api) => {
      const whole = await switchCalled(api, id);
      if (whole !== undefined) return whole;
      const { switches } = await api.switches.list({ query: {} }, longCall);
      return pick('switch', id, switches, (candidate) => candidate.id);
    });
    showOne(flags, io, switchJson(found), fieldNames(apiV2.SwitchSchema));
  });

  addConnectedMachines(command, io);
  addSwitchEditCommand(command, io);
  addSwitchOperations(command, io);
}

/** The switch with exactly this name; undefined when there is none. */
async function switchCalled(api: Api, id: string): Promise<apiV2.Switch | undefined> {
  try {
    return (await api.switches.get({ id }, call)).switch;
  } catch (error) {
    if (error instanceof ApiError && (error.code === Code.NotFound || error.code === Code.InvalidArgument))
      return undefined;
    throw error;
  }
}

function switchJson(found: apiV2.Switch): Json {
  return toJson(apiV2.SwitchSchema, {
    ...found,
    nics: [...found.nics].sort((a, b) => compareNaturally(a.name, b.name)),
  });
}

function byPlace(a: apiV2.Switch, b: apiV2.Switch): number {
  return (
    compareNaturally(a.partition, b.partition) ||
    compareNaturally(a.rack ?? '', b.rack ?? '') ||
    compareNaturally(a.id, b.id)
  );
}
