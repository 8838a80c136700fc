import { apiV2, create, type MessageInitShape } from '@ingot/api';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError, CliErrorCode } from '../errors.ts';
import { given } from '../resources/given.ts';

/** `none` takes a role away that a token has. */
type Role = 'editor' | 'viewer' | 'none';
type ProjectRole = 'owner' | 'editor' | 'viewer' | 'none';
type TenantRole = ProjectRole | 'guest';

// AdminRole, InfraRole and MachineRole share their numbers.
const ROLES = { editor: 1, viewer: 2, none: 0 } as const satisfies Readonly<Record<Role, number>>;

const PROJECT_ROLES: Readonly<Record<ProjectRole, apiV2.ProjectRole>> = {
  owner: apiV2.ProjectRole.OWNER,
  editor: apiV2.ProjectRole.EDITOR,
  viewer: apiV2.ProjectRole.VIEWER,
  none: apiV2.ProjectRole.UNSPECIFIED,
};

const TENANT_ROLES: Readonly<Record<TenantRole, apiV2.TenantRole>> = {
  owner: apiV2.TenantRole.OWNER,
  editor: apiV2.TenantRole.EDITOR,
  viewer: apiV2.TenantRole.VIEWER,
  guest: apiV2.TenantRole.GUEST,
  none: apiV2.TenantRole.UNSPECIFIED,
};

type MethodsOf = Readonly<Record<string, readonly string[]>>;

/** The flags that say what a token may do. */
export interface RightsFlags {
  readonly adminRole?: Role;
  readonly infraRole?: Role;
  readonly machineRole?: Readonly<Record<string, Role>>;
  readonly projectRole?: Readonly<Record<string, ProjectRole>>;
  readonly tenantRole?: Readonly<Record<string, TenantRole>>;
  readonly selfMethod?: readonly string[];
  readonly adminMethod?: readonly string[];
  readonly infraMethod?: readonly string[];
  readonly projectMethod?: MethodsOf;
  readonly tenantMethod?: MethodsOf;
  readonly machineMethod?: MethodsOf;
  /** False: none, of a token that has some. */
  readonly methods?: boolean;
}

/** Adds the flags that say what a token may do: one that is made, or one that there is and that may lose rights, too. */
export function withRightsFlags(command: Command, of: 'new' | 'old'): Command {
  const words = (roles: Readonly<Record<string, number>>): string[] =>
    Object.keys(roles).filter((word) => of === 'old' || word !== 'none');
  if (of === 'old') command.option('--no-methods', 'no methods any more');
  return command
    .addOption(new Option('--admin-role <role>', 'what it may do with everything').choices(words(ROLES)))
    .addOption(new Option('--infra-role <role>', 'what it may do as an agent').choices(words(ROLES)))
    .option(
      '--machine-role <uuid=role>',
      `what it may do as one machine: ${wordList(words(ROLES))}, * for any; may be repeated`,
      roleOf(words(ROLES)),
    )
    .option(
      '--project-role <uuid=role>',
      `what it may do in a project: ${wordList(words(PROJECT_ROLES))}, * for any; may be repeated`,
      roleOf(words(PROJECT_ROLES)),
    )
    .option(
      '--tenant-role <login=role>',
      `what it may do with a tenant: ${wordList(words(TENANT_ROLES))}, * for any; may be repeated`,
      roleOf(words(TENANT_ROLES)),
    )
    .option(
      '--self-method <path...>',
      'a method of its own that it may call, such as /metalstack.api.v2.TokenService/Refresh',
    )
    .option('--admin-method <path...>', 'a method for administrators that it may call')
    .option('--infra-method <path...>', 'a method for agents that it may call')
    .option('--project-method <uuid=path>', 'a method that it may call in a project; may be repeated', methodsOf)
    .option('--tenant-method <login=path>', 'a method that it may call with a tenant; may be repeated', methodsOf)
    .option('--machine-method <uuid=path>', 'a method that it may call as a machine; may be repeated', methodsOf);
}

/** Whether any right was asked for. */
export function hasRights(flags: RightsFlags): boolean {
  const { adminRole, infraRole, permissions, machineRoles, projectRoles, tenantRoles } = rightsOf(flags);
  const roles = [machineRoles, projectRoles, tenantRoles].flatMap((of) => Object.keys(of));
  return adminRole !== undefined || infraRole !== undefined || permissions.length > 0 || roles.length > 0;
}

/** The rights that the flags ask for, as requests have them. */
export function rightsOf(
  flags: RightsFlags,
): Pick<
  apiV2.TokenServiceCreateRequest,
  'permissions' | 'machineRoles' | 'projectRoles' | 'tenantRoles' | 'adminRole' | 'infraRole'
> {
  const { adminRole, infraRole, machineRole, projectRole, tenantRole } = flags;
  return {
    ...given('adminRole', adminRole === undefined ? undefined : ROLES[adminRole]),
    ...given('infraRole', infraRole === undefined ? undefined : ROLES[infraRole]),
    machineRoles: mapped(machineRole, ROLES),
    projectRoles: mapped(projectRole, PROJECT_ROLES),
    tenantRoles: mapped(tenantRole, TENANT_ROLES),
    permissions: permissionsOf(flags),
  };
}

function wordList(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

function permissionsOf(flags: RightsFlags): apiV2.PermissionsByVisibility[] {
  const { selfMethod: self, adminMethod: admin, infraMethod: infra } = flags;
  const permission = (
    visibility: NonNullable<MessageInitShape<typeof apiV2.PermissionsByVisibilitySchema>['visibility']>,
  ): apiV2.PermissionsByVisibility => create(apiV2.PermissionsByVisibilitySchema, { visibility });
  const listed = [
    ...(self === undefined ? [] : [permission({ case: 'self', value: { methods: [...self] } })]),
    ...(admin === undefined ? [] : [permission({ case: 'admin', value: { methods: [...admin] } })]),
    ...(infra === undefined ? [] : [permission({ case: 'infra', value: { methods: [...infra] } })]),
    ...Object.entries(flags.projectMethod ?? {}).map(([project, methods]) =>
      permission({ case: 'project', value: { project, methods: [...methods] } }),
    ),
    ...Object.entries(flags.tenantMethod ?? {}).map(([login, methods]) =>
      permission({ case: 'tenant', value: { login, methods: [...methods] } }),
    ),
    ...Object.entries(flags.machineMethod ?? {}).map(([uuid, methods]) =>
      permission({ case: 'machine', value: { uuid, methods: [...methods] } }),
    ),
  ];
  if (flags.methods !== false) return listed;
  if (listed.length > 0)
    throw new CliError(CliErrorCode.Argument, 'give --no-methods, or the methods that it is to have instead');
  // A list of none: the API keeps what is left out.
  return [permission({ case: 'self', value: {} })];
}

function mapped<Word extends string, Number>(
  of: Readonly<Record<string, Word>> | undefined,
  roles: Readonly<Record<Word, Number>>,
): Record<string, Number> {
  return Object.fromEntries(Object.entries(of ?? {}).map(([subject, role]) => [subject, roles[role]]));
}

/** Collects `SUBJECT=ROLE` of an option that may be repeated. */
function roleOf(
  words: readonly string[],
): (text: string, before?: Readonly<Record<string, string>>) => Readonly<Record<string, string>> {
  return (text, before = {}) => {
    const [subject, role, ...rest] = text.split('=');
    if (subject === undefined || subject === '' || role === undefined || rest.length > 0 || !words.includes(role))
      throw new InvalidArgumentError(`Write SUBJECT=ROLE, * for any subject, with a role of ${words.join(', ')}.`);
    return { ...before, [subject]: role };
  };
}

function methodsOf(text: string, before: MethodsOf = {}): MethodsOf {
  const at = text.indexOf('=');
  if (at < 1 || text[at + 1] !== '/')
    throw new InvalidArgumentError('Write SUBJECT=/package.Service/Method; ingot method ls lists them.');
  const subject = text.slice(0, at);
  return { ...before, [subject]: [...(before[subject] ?? []), text.slice(at + 1)] };
}
