import { apiV2, durationMs, enumText, timestampMs, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import { type DescribeFlags, showOne } from './describe.ts';
import type { CliIo } from './io.ts';
import { type ListFlags, type ListView, showApiList } from './list/list.ts';
import { compareNaturally } from './names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from './options.ts';
import { given } from './resources/given.ts';
import { Tone } from './style.ts';
import { ageText } from './time-text.ts';
import { fieldNames } from './template/fields.ts';

const TYPES: ReadonlyMap<string, apiV2.ComponentType> = new Map(
  Object.values(apiV2.ComponentType)
    .filter((type) => typeof type === 'number' && type !== apiV2.ComponentType.UNSPECIFIED)
    .map((type) => [enumText(apiV2.ComponentTypeSchema, type), type]),
);

/** Reports that may fail to come before somebody should look. */
const MISSED = 3;

/** `ingot component`: which agents and services report to the API server. */
export function addComponentCommands(program: Command, io: CliIo): void {
  const component = program
    .command('component')
    .description('see which agents and services report to the API server')
    .helpCommand(false);

  withApiFlags(
    withListFlags(
      component.command('ls').alias('list').description('list what reports, and what is silent'),
      COMPONENTS,
    ).addOption(new Option('--type <type>', 'only these').choices([...TYPES.keys()])),
  ).action((flags: ListFlags & ContextFlags & { readonly type?: string }) => {
    const query = given('type', flags.type === undefined ? undefined : TYPES.get(flags.type));
    return showApiList(flags, io, COMPONENTS, async (api) => {
      const { components } = await api.components.list({ query }, call);
      return components.sort((a, b) => a.type - b.type || compareNaturally(a.identifier, b.identifier));
    });
  });

  withApiFlags(
    withDescribeFlags(
      component
        .command('describe')
        .description('show one, with the token that it uses')
        .argument('<uuid>', 'as ingot component ls shows it'),
    ),
  ).action(async (uuid: string, flags: DescribeFlags & ContextFlags) => {
    const { component: found } = await withApi(flags, io, (api) => api.components.get({ uuid }, call));
    showOne(
      flags,
      io,
      found === undefined ? {} : toJson(apiV2.ComponentSchema, found),
      fieldNames(apiV2.ComponentSchema),
    );
  });

  withApiFlags(
    component
      .command('rm')
      .alias('delete')
      .description('forget one that is there no more; one that runs reports again')
      .argument('<uuid>', 'as ingot component ls shows it'),
  ).action(async (uuid: string, flags: ContextFlags) => {
    await withApi(flags, io, (api) => api.components.delete({ uuid }, call));
    io.stdout(`component ${uuid} removed\n`);
  });
}

const COMPONENTS: ListView<apiV2.Component> = {
  fields: fieldNames(apiV2.ComponentSchema),
  columns: (nowMs) => [
    { title: 'UUID', cell: ({ uuid }) => uuid },
    { title: 'TYPE', cell: ({ type }) => enumText(apiV2.ComponentTypeSchema, type) },
    { title: 'IDENTIFIER', cell: ({ identifier }) => identifier },
    { title: 'VERSION', cell: ({ version }) => version?.version ?? '' },
    { title: 'STARTED', cell: ({ startedAt }) => ageText(startedAt, nowMs), passing: true },
    {
      title: 'REPORTED',
      cell: ({ reportedAt }) => ageText(reportedAt, nowMs),
      tone: (component) => (isSilent(component, nowMs) ? Tone.Bad : undefined),
      passing: true,
    },
    { title: 'STATUS', cell: (component) => (isSilent(component, nowMs) ? 'silent' : 'ok') },
  ],
  json: (component) => toJson(apiV2.ComponentSchema, component),
  key: ({ uuid }) => uuid,
};

function isSilent({ reportedAt, interval }: apiV2.Component, nowMs: number): boolean {
  if (reportedAt === undefined) return true;
  const everyMs = interval === undefined ? 0 : durationMs(interval);
  return nowMs - timestampMs(reportedAt) > MISSED * Math.max(everyMs, 60_000);
}
