import { apiV2, enumText, timestampDate, timestampMs, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { longCall } from './api.ts';
import type { ContextFlags } from './context.ts';
import { findMachine } from './machine/find.ts';
import type { CliIo } from './io.ts';
import { type ListFlags, type ListView, showApiList } from './list/list.ts';
import { parseCount, parseDuration, withApiFlags, withListFlags } from './options.ts';
import { given } from './resources/given.ts';
import { isObject } from './resources/resource.ts';
import { Tone } from './style.ts';
import { ageText } from './time-text.ts';
import { fieldNames } from './template/fields.ts';
import { projectIfGiven } from './project-name.ts';

const { MachineProvisioningEventType: Type, MachineProvisioningEventState: State } = apiV2;

interface EventFlags extends ListFlags, ContextFlags {
  readonly partition?: string;
  readonly project?: string;
  readonly type?: readonly string[];
  readonly since?: number;
  readonly last?: number;
  readonly crashLoops?: boolean;
}

interface Row {
  readonly machine: apiV2.Machine;
  readonly event: apiV2.MachineProvisioningEvent;
}

const TYPES = apiV2.MachineProvisioningEventTypeSchema.values
  .filter(({ number }) => number !== 0)
  .map(({ number }) => ({ number, word: wordOf(number) }));

/** `ingot event`: what machines have reported. */
export function addEventCommands(program: Command, io: CliIo): void {
  const event = program
    .command('event')
    .description('show what machines have reported on their way')
    .helpCommand(false);

  withApiFlags(
    withListFlags(
      event
        .command('ls')
        .alias('list')
        .description('list the events of a machine, or the newest of each machine; newest first')
        .argument('[machine]', 'its uuid, its name, or the beginning of the uuid; default: all'),
      EVENTS,
    )
      .option('--partition <id>', 'only machines of this partition')
      .option('--project <uuid|name>', 'only machines of this project; enough for this is a token of the project')
      .addOption(new Option('--type <type...>', 'only these').choices(TYPES.map(({ word }) => word)))
      .option('--since <duration>', 'only events that are not older: 30m, 8h, 7d', parseDuration)
      .option(
        '--last <count>',
        'so many events at most of each machine; default: 1, all where one is named',
        parseCount(1, 1000),
      )
      .option('--crash-loops', 'only machines that crash again and again, or were not taken back'),
  ).action((id: string | undefined, flags: EventFlags) =>
    showApiList(flags, io, EVENTS, async (api) => {
      const project = await projectIfGiven(api, flags.project);
      const query = given('partition', flags.partition);
      const machines =
        id !== undefined
          ? [await findMachine(api, id, project)]
          : project === undefined
            ? (await api.machines.list({ query }, longCall)).machines
            : (await api.projectMachines.list({ project, query }, longCall)).machines;
      const most = flags.last ?? (id === undefined ? 1 : Infinity);
      return machines
        .filter((machine) => flags.crashLoops !== true || isStuck(machine))
        .flatMap((machine) => eventsOf(machine, flags, io.now()).slice(0, most))
        .toSorted((a, b) => msOf(b) - msOf(a));
    }),
  );
}

function eventsOf(machine: apiV2.Machine, { type, since }: EventFlags, nowMs: number): Row[] {
  return (machine.recentProvisioningEvents?.events ?? [])
    .map((event) => ({ machine, event }))
    .filter(({ event }) => type === undefined || type.includes(wordOf(event.event)))
    .filter((row) => since === undefined || nowMs - msOf(row) <= since * 1000)
    .toSorted((a, b) => msOf(b) - msOf(a));
}

function isStuck({ recentProvisioningEvents }: apiV2.Machine): boolean {
  const state = recentProvisioningEvents?.state;
  return state === State.CRASHLOOP || state === State.FAILED_RECLAIM;
}

const EVENTS: ListView<Row> = {
  fields: fieldNames(apiV2.MachineProvisioningEventSchema, 'machine'),
  columns: (nowMs) => [
    { title: 'TIME', cell: ({ event }) => (event.time === undefined ? '' : timestampDate(event.time).toISOString()) },
    { title: 'AGO', cell: ({ event }) => ageText(event.time, nowMs), passing: true },
    { title: 'MACHINE', cell: ({ machine }) => machine.uuid },
    { title: 'NAME', cell: ({ machine }) => machine.allocation?.name ?? '', wide: true },
    { title: 'RACK', cell: ({ machine }) => machine.rack, wide: true },
    {
      title: 'EVENT',
      cell: ({ event }) => enumText(apiV2.MachineProvisioningEventTypeSchema, event.event),
      tone: ({ event }) => (event.event === Type.CRASHED ? Tone.Bad : undefined),
    },
    {
      title: 'STATE',
      cell: ({ machine }) => (isStuck(machine) ? stateText(machine) : ''),
      tone: () => Tone.Bad,
    },
    { title: 'MESSAGE', cell: ({ event }) => event.message },
  ],
  json: ({ machine, event }) => {
    const json = toJson(apiV2.MachineProvisioningEventSchema, event);
    return { machine: machine.uuid, ...(isObject(json) ? json : {}) };
  },
  key: ({ machine, event }) => `${machine.uuid} ${msOf({ event })} ${event.event} ${event.message}`,
};

function stateText({ recentProvisioningEvents }: apiV2.Machine): string {
  return enumText(apiV2.MachineProvisioningEventStateSchema, recentProvisioningEvents?.state ?? State.UNSPECIFIED);
}

function msOf({ event }: Pick<Row, 'event'>): number {
  return event.time === undefined ? 0 : timestampMs(event.time);
}

/** `PXE Booting` as it is written on a command line. */
function wordOf(type: number): string {
  return enumText(apiV2.MachineProvisioningEventTypeSchema, type).toLowerCase().replaceAll(' ', '-');
}
