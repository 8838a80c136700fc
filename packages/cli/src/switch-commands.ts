import { apiV2, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import type { CliIo } from './io.ts';
import { compareNaturally, pick } from './names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from './options.ts';
import { type DescribeFormat, formatJson, formatList, type Json, type ListFormat } from './output.ts';
import { addConnectedMachines } from './switch-machines-command.ts';
import { addSwitchOperations } from './switch-operations.ts';
import { switchColumns } from './switch-table.ts';

interface ListFlags extends ContextFlags {
  readonly output: ListFormat;
  readonly headers: boolean;
  readonly id?: string;
  readonly partition?: string;
  readonly rack?: string;
}

interface DescribeFlags extends ContextFlags {
  readonly output: DescribeFormat;
}

/** `ingot switch`. */
export function addSwitchCommands(program: Command, io: CliIo): void {
  const command = program.command('switch').description('show the switches, move what they have').helpCommand(false);

  withApiFlags(
    withListFlags(command.command('ls').alias('list').description('list the switches'))
      .option('--id <id>', 'only this switch')
      .option('--partition <id>', 'only switches of this partition')
      .option('--rack <id>', 'only switches of this rack'),
  ).action(async (flags: ListFlags) => {
    const { id, partition, rack } = flags;
    const query = {
      ...(id === undefined ? {} : { id }),
      ...(partition === undefined ? {} : { partition }),
      ...(rack === undefined ? {} : { rack }),
    };
    const { switches } = await withApi(flags, io, (api) => api.switches.list({ query }, call));
    io.stdout(
      formatList(switches.sort(byPlace), {
        format: flags.output,
        headers: flags.headers,
        columns: switchColumns(io.now()),
        json: switchJson,
      }),
    );
  });

  withApiFlags(
    withDescribeFlags(
      command
        .command('describe')
        .description('show all there is to know about a switch: ports, connected machines, last sync')
        .argument('<id>', 'its name, or the beginning of it'),
    ),
  ).action(async (id: string, flags: DescribeFlags) => {
    const found = await withApi(flags, io, async (api) => {
      const { switches } = await api.switches.list({ query: {} }, call);
      return pick('switch', id, switches, (candidate) => candidate.id);
    });
    io.stdout(formatJson(switchJson(found), flags.output));
  });

  addConnectedMachines(command, io);
  addSwitchOperations(command, io);
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
