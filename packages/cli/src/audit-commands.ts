import { apiV2, codeName, enumText, timestampDate, timestampFromMs, toJson, type MessageInitShape } from '@ingot/api';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import { type DescribeFlags, showOne } from './describe.ts';
import type { CliIo } from './io.ts';
import { type ListFlags, type ListView, showApiList } from './list/list.ts';
import { parseCount, parseDuration, withApiFlags, withDescribeFlags, withListFlags } from './options.ts';
import { given } from './resources/given.ts';
import { Tone } from './style.ts';
import { ageText } from './time-text.ts';
import { fieldNames } from './template/fields.ts';
import { projectIfGiven } from './project-name.ts';

const PHASES = { request: apiV2.AuditPhase.REQUEST, response: apiV2.AuditPhase.RESPONSE } as const;

interface AuditFlags extends ListFlags, ContextFlags {
  readonly tenant?: string;
  readonly since?: number;
  readonly from?: number;
  readonly to?: number;
  readonly user?: string;
  readonly project?: string;
  readonly method?: string;
  readonly sourceIp?: string;
  readonly body?: string;
  readonly code?: number;
  readonly phase?: keyof typeof PHASES;
  readonly limit?: number;
}

/** `ingot audit`: who did what. */
export function addAuditCommands(program: Command, io: CliIo): void {
  const audit = program.command('audit').description('show who did what').helpCommand(false);

  withApiFlags(
    withListFlags(
      audit.command('ls').alias('list').description('list calls to the API server, the newest first'),
      TRACES,
    )
      .option('--tenant <login>', 'only what was done with this tenant; enough for this is a token of its owner')
      .option('--since <duration>', 'not older than: 30m, 8h, 7d', parseDuration)
      .option('--from <time>', 'not before: 2026-01-31 or 2026-01-31T08:00:00Z', parseTime)
      .option('--to <time>', 'not after', parseTime)
      .option('--user <name>', 'only what this user did')
      .option('--project <uuid|name>', 'only what was done in this project')
      .option('--method <path>', 'only calls of this method: /metalstack.admin.v2.MachineService/Delete')
      .option('--source-ip <ip>', 'only calls from this address')
      .option('--body <text>', 'only calls with this text in what was sent')
      .option(
        '--code <number>',
        'only calls that ended with this code of gRPC, 0 for those that went well',
        parseCount(0, 16),
      )
      .addOption(
        new Option('--phase <phase>', 'only what was asked, or what was answered').choices(Object.keys(PHASES)),
      )
      .option('--limit <count>', 'so many at most; default: 100', parseCount(1, 1_000_000)),
  ).action((flags: AuditFlags) => {
    const { tenant } = flags;
    return showApiList(flags, io, TRACES, async (api) => {
      const query = queryOf(flags, await projectIfGiven(api, flags.project), io.now());
      return tenant === undefined
        ? (await api.audit.list({ query }, call)).traces
        : (await api.tenantAudit.list({ login: tenant, query }, call)).traces;
    });
  });

  withApiFlags(
    withDescribeFlags(
      audit
        .command('describe')
        .description('show a call with what was sent, or answered')
        .argument('<uuid>', 'of the call, as ingot audit ls shows it')
        .addOption(new Option('--phase <phase>', 'which of the two').choices(Object.keys(PHASES)))
        .option('--tenant <login>', 'of whom; enough for this is a token of its owner'),
    ),
  ).action(
    async (
      uuid: string,
      flags: DescribeFlags & ContextFlags & { readonly phase?: keyof typeof PHASES; readonly tenant?: string },
    ) => {
      const phase = given('phase', flags.phase === undefined ? undefined : PHASES[flags.phase]);
      const { tenant } = flags;
      const trace = await withApi(flags, io, async (api) =>
        tenant === undefined
          ? (await api.audit.get({ uuid, ...phase }, call)).trace
          : (await api.tenantAudit.get({ login: tenant, uuid, ...phase }, call)).trace,
      );
      showOne(
        flags,
        io,
        trace === undefined ? {} : toJson(apiV2.AuditTraceSchema, trace),
        fieldNames(apiV2.AuditTraceSchema),
      );
    },
  );
}

function queryOf(
  flags: AuditFlags,
  project: string | undefined,
  nowMs: number,
): MessageInitShape<typeof apiV2.AuditQuerySchema> {
  const { since, from, to, phase } = flags;
  const fromMs = from ?? (since === undefined ? undefined : nowMs - since * 1000);
  return {
    ...given('from', fromMs === undefined ? undefined : timestampFromMs(fromMs)),
    ...given('to', to === undefined ? undefined : timestampFromMs(to)),
    ...given('user', flags.user),
    ...given('project', project),
    ...given('method', flags.method),
    ...given('sourceIp', flags.sourceIp),
    ...given('body', flags.body),
    ...given('resultCode', flags.code),
    ...given('phase', phase === undefined ? undefined : PHASES[phase]),
    ...given('limit', flags.limit),
  };
}

const TRACES: ListView<apiV2.AuditTrace> = {
  fields: fieldNames(apiV2.AuditTraceSchema),
  columns: (nowMs) => [
    {
      title: 'TIME',
      cell: ({ timestamp }) => (timestamp === undefined ? '' : timestampDate(timestamp).toISOString()),
    },
    { title: 'AGO', cell: ({ timestamp }) => ageText(timestamp, nowMs), wide: true, passing: true },
    { title: 'UUID', cell: ({ uuid }) => uuid },
    { title: 'USER', cell: ({ user }) => user },
    { title: 'TENANT', cell: ({ tenant }) => tenant, wide: true },
    { title: 'PROJECT', cell: ({ project }) => project ?? '', wide: true },
    { title: 'METHOD', cell: ({ method }) => method },
    { title: 'SOURCE', cell: ({ sourceIp }) => sourceIp, wide: true },
    { title: 'PHASE', cell: ({ phase }) => enumText(apiV2.AuditPhaseSchema, phase) },
    {
      title: 'RESULT',
      cell: ({ resultCode }) => resultText(resultCode),
      tone: ({ resultCode }) => (resultCode === undefined || resultCode === 0 ? undefined : Tone.Bad),
    },
    { title: 'BODY', cell: ({ body }) => body ?? '', wide: true },
  ],
  json: (trace) => toJson(apiV2.AuditTraceSchema, trace),
  key: ({ uuid, phase }) => `${uuid} ${phase}`,
};

function resultText(code: number | undefined): string {
  if (code === undefined) return '';
  return code === 0 ? 'OK' : codeName(code);
}

function parseTime(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Write 2026-01-31 or 2026-01-31T08:00:00Z.');
  return ms;
}
