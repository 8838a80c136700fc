import { apiV2, create, enumText, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { call, longCall, withApi } from '../api.ts';
import { type OrderFlags, withOrderFlags } from '../bmc/commands.ts';
import { orderOfBmc } from '../bmc/order.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { findMachine, isUuid } from './find.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { withApiFlags, withListFlags } from '../options.ts';
import { Tone } from '../style.ts';
import { fieldNames } from '../template/fields.ts';
import { projectIfGiven } from '../project-name.ts';

const { MachineState, MachineBMCCommand: BmcCommand } = apiV2;

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

const LED = {
  on: BmcCommand.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON,
  off: BmcCommand.MACHINE_BMC_COMMAND_IDENTIFY_LED_OFF,
} as const;

interface IssueFlags extends ListFlags, ContextFlags {
  readonly severity: keyof typeof SEVERITIES;
}

/** `ingot machine rm`, `lock`, `unlock`, `taint`, `power`, `identify`, `console-password` and `issues`. */
export function addMachineOperations(machine: Command, io: CliIo): void {
  withApiFlags(
    machine
      .command('rm')
      .alias('free')
      .description('take a machine back from its project; its disks are erased before anybody else gets it')
      .argument('<uuid>', 'its whole uuid')
      .option('--remove-from-database', 'forget a machine that has left the rack')
      .option('--yes-i-really-mean-it', 'for --remove-from-database')
      .option('--project <uuid|name>', 'whose it is; enough for this is a token of the project'),
  ).action(
    async (
      given: string,
      flags: ContextFlags & {
        readonly removeFromDatabase?: boolean;
        readonly yesIReallyMeanIt?: boolean;
        readonly project?: string;
      },
    ) => {
      const uuid = wholeUuid(given);
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
        const project =
          (await projectIfGiven(api, flags.project)) ?? (await findMachine(api, uuid)).allocation?.project;
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
      .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
      .requiredOption('--reason <text>', 'why, for whoever finds it so'),
  ).action(async (id: string, flags: ContextFlags & { readonly reason: string }) =>
    setState(id, flags, io, MachineState.LOCKED, flags.reason),
  );

  withApiFlags(
    machine
      .command('taint')
      .alias('reserve')
      .description('keep a machine for those who ask for it by its uuid')
      .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
      .requiredOption('--reason <text>', 'why, for whoever finds it so'),
  ).action(async (id: string, flags: ContextFlags & { readonly reason: string }) =>
    setState(id, flags, io, MachineState.TAINTED, flags.reason),
  );

  withApiFlags(
    machine
      .command('unlock')
      .description('make a machine available again')
      .argument('<id>', 'its uuid, its name, or the beginning of the uuid'),
  ).action(async (id: string, flags: ContextFlags) => setState(id, flags, io, MachineState.AVAILABLE, ''));

  withApiFlags(
    withOrderFlags(
      machine
        .command('power')
        .description('have the management controller of a machine do something, and say what came of it')
        .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
        .addArgument(machine.createArgument('<what>', 'what').choices(Object.keys(POWER))),
    ),
  ).action((id: string, what: keyof typeof POWER, flags: OrderFlags) => order(id, POWER[what], flags, io));

  withApiFlags(
    withOrderFlags(
      machine
        .command('identify')
        .description('switch the light on or off by which a machine is found in its rack')
        .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
        .addArgument(machine.createArgument('<state>', 'which').choices(Object.keys(LED))),
    ),
  ).action((id: string, state: keyof typeof LED, flags: OrderFlags) => order(id, LED[state], flags, io));

  withApiFlags(
    machine
      .command('console-password')
      .alias('consolepassword')
      .description(
        'print the password of the console of an installed machine; that you asked is kept in the audit trail',
      )
      .argument('<id>', 'its uuid, its name, or the beginning of the uuid')
      .requiredOption('--reason <text>', 'what for, at least ten characters'),
  ).action(async (id: string, flags: ContextFlags & { readonly reason: string }) => {
    const { password } = await withApi(flags, io, async (api) => {
      const { uuid } = await findMachine(api, id);
      return api.machines.consolePassword({ uuid, reason: flags.reason }, call);
    });
    io.stdout(`${password}\n`);
  });

  withApiFlags(
    withListFlags(
      machine.command('issues').description('list what is wrong with machines, and what to do'),
      ISSUES,
    ).addOption(new Option('--severity <level>', 'at least').choices(['minor', 'major', 'critical']).default('minor')),
  ).action((flags: IssueFlags) =>
    showApiList(flags, io, ISSUES, async (api) => {
      const { issues } = await api.machines.issues({ query: { severity: SEVERITIES[flags.severity] } }, longCall);
      return issues.flatMap(({ uuid, issues: found }) => found.map((issue) => ({ uuid, issue })));
    }),
  );
}

const SEVERITIES = { minor: 1, major: 2, critical: 3 } as const;
const SEVERITY_TONES: Readonly<Record<number, Tone>> = { 1: Tone.Faint, 2: Tone.Warn, 3: Tone.Bad };

const ISSUES: ListView<{ readonly uuid: string; readonly issue: apiV2.MachineIssue }> = {
  fields: fieldNames(apiV2.MachineIssuesSchema),
  columns: () => [
    { title: 'MACHINE', cell: ({ uuid }) => uuid },
    {
      title: 'SEVERITY',
      cell: ({ issue }) => enumText(apiV2.MachineIssueSeveritySchema, issue.severity),
      tone: ({ issue }) => SEVERITY_TONES[issue.severity],
    },
    { title: 'ISSUE', cell: ({ issue }) => enumText(apiV2.MachineIssueTypeSchema, issue.type) },
    { title: 'WHAT TO DO', cell: ({ issue }) => issue.description },
    { title: 'DETAILS', cell: ({ issue }) => issue.details, wide: true },
  ],
  json: ({ uuid, issue }) =>
    toJson(apiV2.MachineIssuesSchema, create(apiV2.MachineIssuesSchema, { uuid, issues: [issue] })),
  key: ({ uuid, issue }) => `${uuid} ${issue.type}`,
};

function order(id: string, command: apiV2.MachineBMCCommand, flags: OrderFlags, io: CliIo): Promise<void> {
  const { wait, timeout } = flags;
  return withApi(flags, io, async (api) => {
    const project = await projectIfGiven(api, flags.project);
    const { uuid } = await findMachine(api, id, project);
    await orderOfBmc(api, io, { uuid, command, wait, timeout, project });
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
    const { uuid } = await findMachine(api, id);
    await api.machines.setState({ uuid, state, description }, call);
    io.stdout(`machine ${uuid} is ${enumText(apiV2.MachineStateSchema, state)}\n`);
  });
}

/** What is taken away is written out: the beginning of a uuid may be another machine's tomorrow. */
function wholeUuid(uuid: string): string {
  if (isUuid(uuid)) return uuid.toLowerCase();
  throw new CliError(CliErrorCode.Argument, `"${uuid}" is no whole uuid; write it out, as ingot machine ls shows it`);
}
