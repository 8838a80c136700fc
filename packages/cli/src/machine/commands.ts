import { ApiError, apiV2, Code, create, type MessageInitShape, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { type Api, call, longCall, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { bmcReportJson } from '../bmc/json.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import { findMachine } from './find.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { addMachineCreateCommands } from './create-commands.ts';
import { addMachineEditCommand } from './edit-command.ts';
import { addMachineOperations } from './operations.ts';
import { addMachineUpdateCommand } from './update-command.ts';
import { addMachineWipeCommand } from './wipe-command.ts';
import { machineColumns } from './table.ts';
import { compareNaturally } from '../names.ts';
import { parsePair, withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import type { Json } from '../output.ts';
import { given } from '../resources/given.ts';
import { fieldNames } from '../template/fields.ts';
import { projectIfGiven } from '../project-name.ts';

interface MachineListFlags extends ListFlags, ContextFlags {
  readonly id?: string;
  readonly name?: string;
  readonly partition?: string;
  readonly rack?: string;
  readonly size?: string;
  readonly project?: string;
  readonly state?: keyof typeof STATES;
  readonly waiting?: boolean;
  readonly free?: boolean;
  readonly label?: Readonly<Record<string, string>>;
}

const STATES = {
  available: apiV2.MachineState.AVAILABLE,
  locked: apiV2.MachineState.LOCKED,
  tainted: apiV2.MachineState.TAINTED,
} as const;

const MACHINES: ListView<apiV2.Machine> = {
  fields: fieldNames(apiV2.MachineSchema),
  columns: machineColumns,
  json: machineJson,
  key: ({ uuid }) => uuid,
};

/** `ingot machine`. */
export function addMachineCommands(program: Command, io: CliIo): void {
  const machine = program
    .command('machine')
    .description('show the machines, give them away, take them back')
    .helpCommand(false);

  withApiFlags(
    withListFlags(machine.command('ls').alias('list').description('list the machines'), MACHINES)
      .option('--id <uuid>', 'only this machine')
      .option('--name <name>', 'only machines that their project calls so')
      .option('--partition <id>', 'only machines of this partition')
      .option('--rack <id>', 'only machines of this rack')
      .option('--size <id>', 'only machines of this size')
      .addOption(new Option('--state <state>', 'only machines in this state').choices(Object.keys(STATES)))
      .option('--waiting', 'only machines that wait to be given to somebody')
      .option('--free', 'only machines that nobody has')
      .option('--label <key=value>', 'only machines with this label; may be repeated', parsePair)
      .option('--project <uuid|name>', 'only machines of this project; enough for this is a token of the project'),
  ).action((flags: MachineListFlags) => {
    const query = machineQuery(flags);
    return showApiList(flags, io, MACHINES, async (api) => {
      const project = await projectIfGiven(api, flags.project);
      const { machines } =
        project === undefined
          ? await api.machines.list({ query }, longCall)
          : await api.projectMachines.list({ project, query }, longCall);
      return machines.sort(byPlace);
    });
  });

  withApiFlags(
    withDescribeFlags(
      machine
        .command('describe')
        .description('show all there is to know about a machine: hardware, neighbours, BMC, events')
        .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
        .option('--project <uuid|name>', 'whose it is; enough for this is a token of the project'),
    ),
  ).action(async (id: string, flags: DescribeFlags & ContextFlags & { readonly project?: string }) => {
    const described = await withApi(flags, io, async (api) => {
      const project = await projectIfGiven(api, flags.project);
      const found = await findMachine(api, id, project);
      return { ...asObject(machineJson(found)), ...(await bmcOf(api, found.uuid, project, io)) };
    });
    showOne(flags, io, described, fieldNames(apiV2.MachineSchema, 'bmc'));
  });

  addMachineCreateCommands(machine, io);
  addMachineEditCommand(machine, io);
  addMachineOperations(machine, io);
  addMachineUpdateCommand(machine, io);
  addMachineWipeCommand(machine, io);
}

/** What the API knows of the BMC, without its password; empty when it knows nothing, or does not tell, which is said. */
async function bmcOf(api: Api, uuid: string, project: string | undefined, io: CliIo): Promise<{ [key: string]: Json }> {
  try {
    const { bmc } = await readBmc(api, uuid, project);
    return bmc === undefined ? {} : { bmc };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === Code.NotFound) return {};
    if (error.code !== Code.PermissionDenied && error.code !== Code.Unimplemented) throw error;
    io.stderr(`ingot: the BMC is left out: ${error.message}\n`);
    return {};
  }
}

async function readBmc(api: Api, uuid: string, project: string | undefined): Promise<{ bmc: Json | undefined }> {
  const { bmcDetails } =
    project === undefined
      ? await api.machines.getBMC({ uuid }, call)
      : await api.projectMachines.getBMC({ uuid, project }, call);
  return { bmc: bmcDetails === undefined ? undefined : bmcReportJson(bmcDetails) };
}

function machineQuery(flags: MachineListFlags): MessageInitShape<typeof apiV2.MachineQuerySchema> {
  const { id, name, partition, rack, size, state, waiting, free, label } = flags;
  return {
    ...given('uuid', id),
    ...given('name', name),
    ...given('partition', partition),
    ...given('rack', rack),
    ...given('size', size),
    ...given('state', state === undefined ? undefined : STATES[state]),
    ...given('waiting', waiting),
    ...given('notAllocated', free),
    ...given('labels', label === undefined ? undefined : create(apiV2.LabelsSchema, { labels: label })),
  };
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
