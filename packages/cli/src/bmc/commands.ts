import { apiV2, enumText, timestampMs, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { call, longCall, withApi } from '../api.ts';
import { bmcReportJson } from './json.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import { findMachine } from '../machine/find.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { compareNaturally } from '../names.ts';
import { parseDuration, withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import type { Json } from '../output.ts';
import { given } from '../resources/given.ts';
import { Tone } from '../style.ts';
import { ageText } from '../time-text.ts';
import { orderOfBmc } from './order.ts';
import { fieldNames } from '../template/fields.ts';
import { projectIfGiven } from '../project-name.ts';

const { MachineBMCCommand: BmcCommand } = apiV2;

/** What may be ordered, by the contract's words; the two that only the server orders are left out. */
const COMMANDS: ReadonlyMap<string, apiV2.MachineBMCCommand> = new Map(
  [
    BmcCommand.MACHINE_BMC_COMMAND_ON,
    BmcCommand.MACHINE_BMC_COMMAND_OFF,
    BmcCommand.MACHINE_BMC_COMMAND_RESET,
    BmcCommand.MACHINE_BMC_COMMAND_CYCLE,
    BmcCommand.MACHINE_BMC_COMMAND_BOOT_TO_BIOS,
    BmcCommand.MACHINE_BMC_COMMAND_BOOT_FROM_DISK,
    BmcCommand.MACHINE_BMC_COMMAND_BOOT_FROM_PXE,
    BmcCommand.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON,
    BmcCommand.MACHINE_BMC_COMMAND_IDENTIFY_LED_OFF,
  ].map((command) => [enumText(apiV2.MachineBMCCommandSchema, command), command]),
);

/** After this the API server holds a report for outdated, too. */
const OLD_MS = 20 * 60_000;
const DEFAULT_PATIENCE_S = 90;

interface BmcListFlags extends ListFlags, ContextFlags {
  readonly partition?: string;
  readonly rack?: string;
}

export interface OrderFlags extends ContextFlags {
  readonly wait: boolean;
  readonly timeout: number;
  readonly project?: string;
}

/** Adds the flags of whatever orders something of a BMC. */
export function withOrderFlags(command: Command): Command {
  return command
    .option('--no-wait', 'end as soon as it is ordered')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for what comes of it')
        .argParser(parseDuration)
        .default(DEFAULT_PATIENCE_S, '90s'),
    )
    .option('--project <uuid|name>', 'order it as this project, with its token; what comes of it is not shown');
}

/** `ingot bmc ls`, `describe` and `command`. */
export function addBmcCommands(bmc: Command, io: CliIo): void {
  withApiFlags(
    withListFlags(bmc.command('ls').alias('list').description('list the management controllers of machines'), VIEW)
      .option('--partition <id>', 'only those of this partition')
      .option('--rack <id>', 'only those of this rack'),
  ).action((flags: BmcListFlags) => {
    const query = { ...given('partition', flags.partition), ...given('rack', flags.rack) };
    return showApiList(flags, io, VIEW, async (api) => {
      const { bmcDetails } = await api.machines.listBMC({ query }, longCall);
      return bmcDetails.sort((a, b) => compareNaturally(a.rack, b.rack) || compareNaturally(a.uuid, b.uuid));
    });
  });

  withApiFlags(
    withDescribeFlags(
      bmc
        .command('describe')
        .description('show what is known of a management controller, but for its password')
        .argument('<machine>', 'uuid of the machine, its name, or the beginning of the uuid')
        .option('--project <uuid|name>', 'whose the machine is; enough for this is a token of the project')
        .option('--show-password', 'show its password, too; takes a token with the role admin editor'),
    ),
  ).action(
    async (
      id: string,
      flags: DescribeFlags & ContextFlags & { readonly project?: string; readonly showPassword?: boolean },
    ) => {
      const found = await withApi(flags, io, async (api) => {
        const project = await projectIfGiven(api, flags.project);
        const { uuid } = await findMachine(api, id, project);
        return project === undefined
          ? (await api.machines.getBMC({ uuid }, call)).bmcDetails
          : (await api.projectMachines.getBMC({ uuid, project }, call)).bmcDetails;
      });
      showOne(flags, io, found === undefined ? {} : detailsJson(found, flags.showPassword === true), VIEW.fields ?? []);
    },
  );

  withApiFlags(
    withOrderFlags(
      bmc
        .command('command')
        .description('have a management controller do something, and say what came of it')
        .argument('<machine>', 'uuid of the machine, its name, or the beginning of the uuid')
        .addArgument(bmc.createArgument('<what>', 'what').choices([...COMMANDS.keys()])),
    ),
  ).action(async (id: string, what: string, flags: OrderFlags) => {
    const command = COMMANDS.get(what) ?? BmcCommand.MACHINE_BMC_COMMAND_UNSPECIFIED;
    const { wait, timeout } = flags;
    await withApi(flags, io, async (api) => {
      const project = await projectIfGiven(api, flags.project);
      const { uuid } = await findMachine(api, id, project);
      await orderOfBmc(api, io, { uuid, command, wait, timeout, project });
    });
  });
}

const VIEW: ListView<apiV2.MachineBMCDetails> = {
  fields: fieldNames(apiV2.MachineBMCDetailsSchema),
  columns: (nowMs) => [
    { title: 'MACHINE', cell: ({ uuid }) => uuid },
    { title: 'POWER', cell: ({ bmcReport }) => bmcReport?.bmc?.powerState ?? '' },
    { title: 'ADDRESS', cell: ({ bmcReport }) => bmcReport?.bmc?.address ?? '' },
    { title: 'MAC', cell: ({ bmcReport }) => bmcReport?.bmc?.mac ?? '', wide: true },
    { title: 'USER', cell: ({ bmcReport }) => bmcReport?.bmc?.user ?? '', wide: true },
    { title: 'INTERFACE', cell: ({ bmcReport }) => bmcReport?.bmc?.interface ?? '', wide: true },
    { title: 'BMC VERSION', cell: ({ bmcReport }) => bmcReport?.bmc?.version ?? '', wide: true },
    { title: 'BIOS', cell: ({ bmcReport }) => bmcReport?.bios?.version ?? '' },
    { title: 'SERIAL', cell: ({ bmcReport }) => bmcReport?.fru?.productSerial ?? '' },
    { title: 'LED', cell: ({ bmcReport }) => bmcReport?.ledState?.value ?? '', wide: true },
    { title: 'WATTS', cell: ({ bmcReport }) => wattsOf(bmcReport), wide: true, passing: true },
    { title: 'SUPPLIES', cell: ({ bmcReport }) => suppliesOf(bmcReport), wide: true },
    { title: 'PARTITION', cell: ({ partition }) => partition },
    { title: 'RACK', cell: ({ rack }) => rack },
    {
      title: 'REPORTED',
      cell: ({ bmcReport }) => (bmcReport?.updatedAt === undefined ? 'never' : ageText(bmcReport.updatedAt, nowMs)),
      tone: ({ bmcReport }) =>
        bmcReport?.updatedAt === undefined || nowMs - timestampMs(bmcReport.updatedAt) > OLD_MS ? Tone.Warn : undefined,
      passing: true,
    },
  ],
  json: (details) => detailsJson(details, false),
  key: ({ uuid }) => uuid,
};

function wattsOf(report: apiV2.MachineBMCReport | undefined): string {
  const watts = report?.powerMetric?.averageConsumedWatts;
  return watts === undefined ? '' : String(Math.round(watts));
}

function suppliesOf(report: apiV2.MachineBMCReport | undefined): string {
  return (report?.powerSupplies ?? []).map(({ health }) => health).join(',');
}

function detailsJson(details: apiV2.MachineBMCDetails, withPassword: boolean): Json {
  const json = toJson(apiV2.MachineBMCDetailsSchema, details);
  if (withPassword || typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const bmcReport = bmcReportJson(details);
  return bmcReport === undefined ? json : { ...json, bmcReport };
}
