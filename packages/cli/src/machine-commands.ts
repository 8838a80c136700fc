import { adminV2, ApiError, apiV2, Code, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { type Api, call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import type { CliIo } from './io.ts';
import { addMachineOperations } from './machine-operations.ts';
import { addMachineUpdateCommand } from './machine-update-command.ts';
import { addMachineWipeCommand } from './machine-wipe-command.ts';
import { machineColumns } from './machine-table.ts';
import { compareNaturally, pick } from './names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from './options.ts';
import { type DescribeFormat, formatJson, formatList, type Json, type ListFormat } from './output.ts';

interface ListFlags extends ContextFlags {
  readonly output: ListFormat;
  readonly headers: boolean;
  readonly id?: string;
  readonly partition?: string;
  readonly rack?: string;
  readonly size?: string;
}

interface DescribeFlags extends ContextFlags {
  readonly output: DescribeFormat;
}

/** `ingot machine`. */
export function addMachineCommands(program: Command, io: CliIo): void {
  const machine = program
    .command('machine')
    .description('show the machines, give them away, take them back')
    .helpCommand(false);

  withApiFlags(
    withListFlags(machine.command('ls').alias('list').description('list the machines'))
      .option('--id <uuid>', 'only this machine')
      .option('--partition <id>', 'only machines of this partition')
      .option('--rack <id>', 'only machines of this rack')
      .option('--size <id>', 'only machines of this size'),
  ).action(async (flags: ListFlags) => {
    const { id, partition, rack, size } = flags;
    const query = {
      ...(id === undefined ? {} : { uuid: id }),
      ...(partition === undefined ? {} : { partition }),
      ...(rack === undefined ? {} : { rack }),
      ...(size === undefined ? {} : { size }),
    };
    const { machines } = await withApi(flags, io, (api) => api.machines.list({ query }, call));
    io.stdout(
      formatList(machines.sort(byPlace), {
        format: flags.output,
        headers: flags.headers,
        columns: machineColumns(io.now()),
        json: machineJson,
      }),
    );
  });

  withApiFlags(
    withDescribeFlags(
      machine
        .command('describe')
        .description('show all there is to know about a machine: hardware, neighbours, BMC, events')
        .argument('<id>', 'its uuid, or the beginning of it'),
    ),
  ).action(async (id: string, flags: DescribeFlags) => {
    const described = await withApi(flags, io, async (api) => {
      const found = await findMachine(api, id);
      return { ...asObject(machineJson(found)), ...(await bmcOf(api, found.uuid, io)) };
    });
    io.stdout(formatJson(described, flags.output));
  });

  addMachineOperations(machine, io);
  addMachineUpdateCommand(machine, io);
  addMachineWipeCommand(machine, io);
}

/** The machine with that uuid, or the only one whose uuid begins so. */
async function findMachine(api: Api, id: string): Promise<apiV2.Machine> {
  const { machines } = await api.machines.list({ query: {} }, call);
  return pick('machine', id, machines, ({ uuid }) => uuid);
}

/** What the API knows of the BMC, without its password; empty when it knows nothing, or does not tell, which is said. */
async function bmcOf(api: Api, uuid: string, io: CliIo): Promise<{ [key: string]: Json }> {
  try {
    const { bmc } = await readBmc(api, uuid);
    return bmc === undefined ? {} : { bmc };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === Code.NotFound) return {};
    if (error.code !== Code.PermissionDenied && error.code !== Code.Unimplemented) throw error;
    io.stderr(`ingot: the BMC is left out: ${error.message}\n`);
    return {};
  }
}

async function readBmc(api: Api, uuid: string): Promise<{ bmc: Json | undefined }> {
  const answer: adminV2.MachineServiceGetBMCResponse = await api.machines.getBMC({ uuid }, call);
  const report = answer.bmcDetails?.bmcReport;
  if (report === undefined) return { bmc: undefined };
  const { bmc: access, ...rest } = report;
  const shown = access === undefined ? {} : { bmc: { ...access, password: '' } };
  return { bmc: toJson(apiV2.MachineBMCReportSchema, { ...rest, ...shown }) };
}

function machineJson(machine: apiV2.Machine): Json {
  return toJson(apiV2.MachineSchema, machine);
}

function asObject(json: Json): { [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : {};
}

function byPlace(a: apiV2.Machine, b: apiV2.Machine): number {
  return (
    compareNaturally(a.partition?.id ?? '', b.partition?.id ?? '') ||
    compareNaturally(a.rack, b.rack) ||
    compareNaturally(a.uuid, b.uuid)
  );
}
