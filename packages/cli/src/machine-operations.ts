import { apiV2, create, enumText, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { type Api, call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';
import { pick } from './names.ts';
import { withApiFlags, withListFlags } from './options.ts';
import { formatList, type ListFormat } from './output.ts';

const { MachineState, MachineBMCCommand: BmcCommand, MachineAllocationType } = apiV2;

/** The words of `ingot machine power`, in the order of the contract. */
const POWER = {
  on: BmcCommand.MACHINE_BMC_COMMAND_ON,
  off: BmcCommand.MACHINE_BMC_COMMAND_OFF,
  reset: BmcCommand.MACHINE_BMC_COMMAND_RESET,
  cycle: BmcCommand.MACHINE_BMC_COMMAND_CYCLE,
  bios: BmcCommand.MACHINE_BMC_COMMAND_BOOT_TO_BIOS,
  disk: BmcCommand.MACHINE_BMC_COMMAND_BOOT_FROM_DISK,
  pxe: BmcCommand.MACHINE_BMC_COMMAND_BOOT_FROM_PXE,
} as const;

interface CreateFlags extends ContextFlags {
  readonly project: string;
  readonly partition?: string;
  readonly size?: string;
  readonly image: string;
  readonly network: readonly string[];
  readonly id?: string;
  readonly hostname?: string;
  readonly description?: string;
  readonly sshPublicKey?: readonly string[];
  readonly firewall?: boolean;
}

interface IssueFlags extends ContextFlags {
  readonly output: ListFormat;
  readonly headers: boolean;
}

/** `ingot machine create`, `rm`, `lock`, `unlock`, `power` and `issues`. */
export function addMachineOperations(machine: Command, io: CliIo): void {
  withApiFlags(
    machine
      .command('create')
      .description('give a machine to a project')
      .argument('<name>', 'how the project calls it')
      .requiredOption('--project <uuid>', 'whom it is for')
      .requiredOption('--image <id>', 'what it is to run: debian-12.0.20260101, or debian-12.0 for the newest')
      .requiredOption(
        '--network <id...>',
        'the networks that it joins; id=ip,ip takes addresses of the project instead of a free one',
      )
      .option('--partition <id>', 'where')
      .option('--size <id>', 'of which size')
      .option('--id <uuid>', 'this very machine; for administrators')
      .option('--hostname <name>', 'default: metal')
      .option('--description <text>', 'what it is for')
      .option('--ssh-public-key <key...>', 'who may log in')
      .option('--firewall', 'make it a firewall'),
  ).action(async (name: string, flags: CreateFlags) => {
    const { machine: made } = await withApi(flags, io, (api) =>
      api.projectMachines.create(requestOf(name, flags), call),
    );
    const addresses = made?.allocation?.networks.flatMap(({ network, ips }) => ips.map((ip) => `${ip} in ${network}`));
    io.stdout(`machine ${made?.uuid ?? ''} is ${name}: ${(addresses ?? []).join(', ')}\n`);
  });

  withApiFlags(
    machine
      .command('rm')
      .description('take a machine back from its project; its disks are erased before anybody else gets it')
      .argument('<uuid>', 'its whole uuid')
      .option('--remove-from-database', 'forget a machine that has left the rack')
      .option('--yes-i-really-mean-it', 'for --remove-from-database'),
  ).action(
    async (
      uuid: string,
      flags: ContextFlags & { readonly removeFromDatabase?: boolean; readonly yesIReallyMeanIt?: boolean },
    ) => {
      if (flags.removeFromDatabase === true && flags.yesIReallyMeanIt !== true)
        throw new CliError(
          CliErrorCode.Argument,
          'the machine would be forgotten with its events; add --yes-i-really-mean-it',
        );
      await withApi(flags, io, async (api) => {
        if (flags.removeFromDatabase === true) {
          await api.machines.delete({ uuid }, call);
          io.stdout(`machine ${uuid} forgotten\n`);
          return;
        }
        const project = (await exactly(api, uuid)).allocation?.project;
        if (project === undefined)
          throw new CliError(
            CliErrorCode.Argument,
            `machine ${uuid} belongs to nobody, so there is nothing to take back`,
          );
        await api.projectMachines.delete({ uuid, project }, call);
        io.stdout(`machine ${uuid} taken back; it is wiped before it waits again\n`);
      });
    },
  );

  withApiFlags(
    machine
      .command('lock')
      .description('keep a machine from being given away or taken back')
      .argument('<id>', 'its uuid, or the beginning of it')
      .requiredOption('--reason <text>', 'why, for whoever finds it so'),
  ).action(async (id: string, flags: ContextFlags & { readonly reason: string }) =>
    setState(id, flags, io, MachineState.LOCKED, flags.reason),
  );

  withApiFlags(
    machine
      .command('unlock')
      .description('make a machine available again')
      .argument('<id>', 'its uuid, or the beginning of it'),
  ).action(async (id: string, flags: ContextFlags) => setState(id, flags, io, MachineState.AVAILABLE, ''));

  withApiFlags(
    machine
      .command('power')
      .description('have the management controller of a machine do something')
      .argument('<id>', 'its uuid, or the beginning of it')
      .addArgument(machine.createArgument('<what>', 'what').choices(Object.keys(POWER))),
  ).action(async (id: string, what: keyof typeof POWER, flags: ContextFlags) => {
    await withApi(flags, io, async (api) => {
      const { uuid } = await find(api, id);
      await api.machines.bMCCommand({ uuid, command: POWER[what] }, call);
      io.stdout(`machine ${uuid}: ${what} was ordered\n`);
    });
  });

  withApiFlags(
    withListFlags(machine.command('issues').description('list what is wrong with machines, and what to do')).addOption(
      new Option('--severity <level>', 'at least').choices(['minor', 'major', 'critical']).default('minor'),
    ),
  ).action(async (flags: IssueFlags & { readonly severity: 'minor' | 'major' | 'critical' }) => {
    const severity = { minor: 1, major: 2, critical: 3 } as const;
    const { issues } = await withApi(flags, io, (api) =>
      api.machines.issues({ query: { severity: severity[flags.severity] } }, call),
    );
    const rows = issues.flatMap(({ uuid, issues: found }) => found.map((issue) => ({ uuid, issue })));
    io.stdout(
      formatList(rows, {
        format: flags.output,
        headers: flags.headers,
        columns: [
          { title: 'MACHINE', cell: ({ uuid }) => uuid },
          { title: 'SEVERITY', cell: ({ issue }) => enumText(apiV2.MachineIssueSeveritySchema, issue.severity) },
          { title: 'ISSUE', cell: ({ issue }) => enumText(apiV2.MachineIssueTypeSchema, issue.type) },
          { title: 'WHAT TO DO', cell: ({ issue }) => issue.description },
          { title: 'DETAILS', cell: ({ issue }) => issue.details, wide: true },
        ],
        json: ({ uuid, issue }) =>
          toJson(apiV2.MachineIssuesSchema, create(apiV2.MachineIssuesSchema, { uuid, issues: [issue] })),
      }),
    );
  });
}

function requestOf(name: string, flags: CreateFlags): apiV2.MachineServiceCreateRequest {
  const { project, partition, size, image, id, hostname, description, sshPublicKey, firewall } = flags;
  return create(apiV2.MachineServiceCreateRequestSchema, {
    name,
    project,
    image,
    networks: flags.network.map((text) => {
      const [network = '', ips = ''] = text.split('=');
      return { network, ips: ips === '' ? [] : ips.split(',') };
    }),
    sshPublicKeys: [...(sshPublicKey ?? [])],
    allocationType: firewall === true ? MachineAllocationType.FIREWALL : MachineAllocationType.MACHINE,
    ...(partition === undefined ? {} : { partition }),
    ...(size === undefined ? {} : { size }),
    ...(id === undefined ? {} : { uuid: id }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(description === undefined ? {} : { description }),
  });
}

async function setState(
  id: string,
  flags: ContextFlags,
  io: CliIo,
  state: apiV2.MachineState,
  description: string,
): Promise<void> {
  await withApi(flags, io, async (api) => {
    const { uuid } = await find(api, id);
    await api.machines.setState({ uuid, state, description }, call);
    io.stdout(`machine ${uuid} is ${enumText(apiV2.MachineStateSchema, state)}\n`);
  });
}

async function find(api: Api, id: string): Promise<apiV2.Machine> {
  const { machines } = await api.machines.list({ query: {} }, call);
  return pick('machine', id, machines, ({ uuid }) => uuid);
}

/** What is taken away is written out: the beginning of a uuid may be another machine's tomorrow. */
async function exactly(api: Api, uuid: string): Promise<apiV2.Machine> {
  const found = await find(api, uuid);
  if (found.uuid === uuid.toLowerCase()) return found;
  throw new CliError(CliErrorCode.Argument, `"${uuid}" is no whole uuid; write ${found.uuid} if that is meant`);
}
