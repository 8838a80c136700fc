import { apiV2, type MethodAccess } from '@ingot/api';

const { AdminRole, InfraRole, TokenType } = apiV2;

/** What a call is about; a method is about one kind of subject at most. */
export interface Subjects {
  readonly machines: readonly string[];
  readonly project: string | undefined;
  readonly tenant: string | undefined;
}

/** Whether a token may call a method about these subjects. */
export function mayCall(token: apiV2.Token, access: MethodAccess, subjects: Subjects): boolean {
  if (access.visibility === 'public') return true;
  if (token.adminRole === AdminRole.EDITOR) return true;
  if (token.adminRole !== undefined && access.adminRoles.includes(token.adminRole)) return true;
  if (access.visibility === 'self' && mayActForItself(token)) return true;
  if (token.infraRole !== undefined && access.infraRoles.includes(token.infraRole)) return true;
  if (access.machineRoles.length > 0 && everyMachine(subjects, (uuid) => hasRole(token, access, uuid))) return true;
  const projectRole = roleFor(token.projectRoles, subjects.project);
  if (projectRole !== undefined && access.projectRoles.includes(projectRole)) return true;
  const tenantRole = roleFor(token.tenantRoles, subjects.tenant);
  if (tenantRole !== undefined && access.tenantRoles.includes(tenantRole)) return true;
  return permitted(token, access, subjects);
}

/**
 * Methods about the caller come with tokens of people, and with those of agents, which have to mint and to renew tokens.
 * Any other token needs them listed: otherwise a machine could prolong its own token for ever.
 */
function mayActForItself(token: apiV2.Token): boolean {
  return token.tokenType === TokenType.USER || token.infraRole === InfraRole.EDITOR;
}

function hasRole(token: apiV2.Token, access: MethodAccess, uuid: string): boolean {
  const role = roleFor(token.machineRoles, uuid);
  return role !== undefined && access.machineRoles.includes(role);
}

/** The role for a subject or, failing that, the one for all. */
export function roleFor<Role>(roles: Readonly<Record<string, Role>>, subject: string | undefined): Role | undefined {
  if (subject === undefined) return undefined;
  for (const [key, role] of Object.entries(roles)) {
    if (key.toLowerCase() === subject.toLowerCase()) return role;
  }
  return roles['*'];
}

function everyMachine({ machines }: Subjects, test: (uuid: string) => boolean): boolean {
  return machines.length > 0 && machines.every(test);
}

/** Methods listed in the token: on the subject, on all (`*`), or, for methods about nothing in particular, on none. */
function permitted(token: apiV2.Token, access: MethodAccess, subjects: Subjects): boolean {
  const on = (subject: string): boolean =>
    token.permissions.some(
      (permission) =>
        permission.methods.includes(access.path) &&
        (permission.subject === '*' || permission.subject.toLowerCase() === subject.toLowerCase()),
    );
  if (access.infraRoles.length > 0 && on('')) return true;
  if (access.machineRoles.length > 0) return everyMachine(subjects, on);
  if (access.projectRoles.length > 0) return subjects.project !== undefined && on(subjects.project);
  if (access.tenantRoles.length > 0) return subjects.tenant !== undefined && on(subjects.tenant);
  return on('');
}

/** The rights in a request for a token that its creator does not have, in words; none if it may be made. */
export function elevations(
  creator: apiV2.Token,
  wanted: Pick<
    apiV2.Token,
    'adminRole' | 'infraRole' | 'machineRoles' | 'projectRoles' | 'tenantRoles' | 'permissions'
  >,
  methods: ReadonlyMap<string, MethodAccess>,
): string[] {
  if (creator.adminRole === AdminRole.EDITOR) return [];
  const found: string[] = [];
  // In every kind of role a smaller number means more rights, and 0 means none.
  const within = (has: number | undefined, wants: number): boolean =>
    wants === 0 || (has !== undefined && has !== 0 && has <= wants);
  if (!within(creator.adminRole, wanted.adminRole ?? AdminRole.UNSPECIFIED)) found.push('admin role');
  if (!within(creator.infraRole, wanted.infraRole ?? InfraRole.UNSPECIFIED)) found.push('infra role');
  const compare = (
    kind: string,
    has: Readonly<Record<string, number>>,
    wants: Readonly<Record<string, number>>,
  ): void => {
    for (const [subject, role] of Object.entries(wants)) {
      // A role for one subject counts instead of that for all: whoever has less somewhere cannot give more everywhere.
      const subjects =
        subject === '*' ? ['*', ...Object.keys(has).filter((one) => roleFor(wants, one) === role)] : [subject];
      if (!subjects.every((one) => within(roleFor(has, one), role))) found.push(`${kind} role for ${subject}`);
    }
  };
  compare('machine', creator.machineRoles, wanted.machineRoles);
  compare('project', creator.projectRoles, wanted.projectRoles);
  compare('tenant', creator.tenantRoles, wanted.tenantRoles);
  for (const { subject, methods: paths } of wanted.permissions) {
    for (const path of paths) {
      const access = methods.get(path);
      const may = (one: string): boolean =>
        access !== undefined && mayCall(creator, access, { machines: [one], project: one, tenant: one });
      if (![subject, ...(subject === '*' ? named(creator) : [])].every(may))
        found.push(`method ${path} on "${subject}"`);
    }
  }
  return found;
}

/** Subjects for which a token has a role of their own. */
function named({ machineRoles, projectRoles, tenantRoles }: apiV2.Token): string[] {
  return [machineRoles, projectRoles, tenantRoles].flatMap((roles) => Object.keys(roles));
}
