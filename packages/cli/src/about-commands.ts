import { apiV2, enumText, toJson } from '@ingot/api';
import type { Command } from 'commander';
import { call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import { type DescribeFlags, showOne } from './describe.ts';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';
import { type ListFlags, type ListView, showApiList } from './list/list.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from './options.ts';
import { Tone } from './style.ts';
import { fieldNames } from './template/fields.ts';

const { ServiceStatus } = apiV2;

/** `ingot method`, `health` and `whoami`: what the server can do, how it is, and who you are to it. */
export function addAboutCommands(program: Command, io: CliIo): void {
  const method = program.command('method').description('see what the API server can do').helpCommand(false);
  withApiFlags(
    withListFlags(method.command('ls').alias('list').description('list the methods'), METHODS, RIGHTS).option(
      '--mine',
      'only those that the token in use may call, and on what',
    ),
  ).action((flags: ListFlags & ContextFlags & { readonly mine?: boolean }) =>
    flags.mine === true
      ? showApiList(flags, io, RIGHTS, async (api) => {
          const rights = await api.methods.tokenScopedList({}, call);
          return [
            ...rolesOf(rights),
            ...rights.permissions.flatMap(({ subject, methods }) => methods.map((may) => ({ may, subject }))),
          ];
        })
      : showApiList(flags, io, METHODS, async (api) => (await api.methods.list({}, call)).methods.toSorted()),
  );

  withApiFlags(
    withListFlags(
      program
        .command('health')
        .description('show how the services of the API server are; exits with 1 unless all are well'),
      SERVICES,
    ),
  ).action(async (flags: ListFlags & ContextFlags) => {
    let ill: readonly string[] = [];
    await showApiList(flags, io, SERVICES, async (api) => {
      const services = (await api.health.get({}, call)).health?.services ?? [];
      ill = services.filter(({ status }) => status !== ServiceStatus.HEALTHY).map(nameOf);
      return services;
    });
    if (ill.length > 0) throw new CliError(CliErrorCode.Failed, `not well: ${ill.join(', ')}`);
  });

  withApiFlags(
    withDescribeFlags(
      program.command('whoami').description('show who you are to the API server, with your tenants and projects'),
    ),
  ).action(async (flags: DescribeFlags & ContextFlags) => {
    const { user } = await withApi(flags, io, (api) => api.users.get({}, call));
    showOne(flags, io, user === undefined ? {} : toJson(apiV2.UserSchema, user), fieldNames(apiV2.UserSchema));
  });
}

const METHODS: ListView<string> = {
  fields: undefined,
  columns: () => [{ title: 'METHOD', cell: (path) => path }],
  json: (path) => path,
  key: (path) => path,
};

interface Right {
  readonly may: string;
  readonly subject: string;
}

const RIGHTS: ListView<Right> = {
  fields: ['may', 'subject'],
  columns: () => [
    { title: 'MAY', cell: ({ may }) => may },
    { title: 'ON', cell: ({ subject }) => subject },
  ],
  json: ({ may, subject }) => ({ may, subject }),
  key: ({ may, subject }) => `${subject} ${may}`,
};

/** Roles stand for all the methods that the contract gives them. */
function rolesOf(rights: apiV2.MethodServiceTokenScopedListResponse): Right[] {
  const { adminRole, infraRole, machineRoles, projectRoles, tenantRoles } = rights;
  const of = (desc: DescEnum, roles: Readonly<Record<string, number>>): Right[] =>
    Object.entries(roles).map(([subject, role]) => ({ may: wordOf(desc, role), subject }));
  return [
    ...(adminRole === undefined ? [] : of(apiV2.AdminRoleSchema, { everything: adminRole })),
    ...(infraRole === undefined ? [] : of(apiV2.InfraRoleSchema, { 'what agents do': infraRole })),
    ...of(apiV2.MachineRoleSchema, machineRoles),
    ...of(apiV2.ProjectRoleSchema, projectRoles),
    ...of(apiV2.TenantRoleSchema, tenantRoles),
  ];
}

const TONES: Readonly<Record<number, Tone>> = {
  [ServiceStatus.HEALTHY]: Tone.Good,
  [ServiceStatus.DEGRADED]: Tone.Warn,
  [ServiceStatus.UNHEALTHY]: Tone.Bad,
};

const SERVICES: ListView<apiV2.HealthStatus> = {
  fields: fieldNames(apiV2.HealthStatusSchema),
  columns: () => [
    { title: 'SERVICE', cell: nameOf },
    { title: 'STATUS', cell: ({ status }) => statusText(status), tone: ({ status }) => TONES[status] },
    { title: 'MESSAGE', cell: ({ message }) => message },
    {
      title: 'PARTITIONS',
      cell: ({ partitions }) =>
        Object.entries(partitions)
          .map(([id, { status }]) => `${id}: ${statusText(status)}`)
          .join(', '),
    },
  ],
  json: (status) => toJson(apiV2.HealthStatusSchema, status),
  key: nameOf,
};

function nameOf({ name }: apiV2.HealthStatus): string {
  return wordOf(apiV2.ServiceSchema, name).replace('service ', '');
}

function statusText(status: apiV2.ServiceStatus): string {
  return wordOf(apiV2.ServiceStatusSchema, status).replace('service status ', '');
}

type DescEnum = Parameters<typeof enumText>[0];

/** `ADMIN_ROLE_EDITOR` as `admin role editor`. */
function wordOf(desc: DescEnum, value: number): string {
  return enumText(desc, value).toLowerCase().replaceAll('_', ' ');
}
