import { apiV2, clone } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { inheritedRole, projectRoleOf, strongest, tenantRoleOf } from '../tenancy/roles.ts';
import { roleFor, type Subjects } from './rights.ts';

const { ProjectRole, TenantRole } = apiV2;

/**
 * A token's rights about these subjects: with a role in a tenant the same one in its projects, and with the memberships of
 * a user, if one is given.
 */
export async function withMemberships(
  stores: Stores,
  token: apiV2.Token,
  { project, tenant }: Subjects,
  member: string | undefined,
): Promise<apiV2.Token> {
  const widened = clone(apiV2.TokenSchema, token);
  if (tenant !== undefined && member !== undefined) {
    const role = strongest(
      roleFor(token.tenantRoles, tenant) ?? TenantRole.UNSPECIFIED,
      (await tenantRoleOf(stores, member, tenant)) ?? TenantRole.UNSPECIFIED,
    );
    if (role !== undefined) widened.tenantRoles[tenant] = role;
  }
  if (project !== undefined) {
    const stored = await stores.projects.get(project);
    const inTenant = token.tenantRoles[stored?.value.tenant ?? ''] ?? token.tenantRoles['*'] ?? TenantRole.UNSPECIFIED;
    const role = strongest(
      roleFor(token.projectRoles, project) ?? ProjectRole.UNSPECIFIED,
      stored === undefined ? ProjectRole.UNSPECIFIED : inheritedRole(inTenant),
      (member === undefined ? undefined : await projectRoleOf(stores, member, project)) ?? ProjectRole.UNSPECIFIED,
    );
    if (role !== undefined) widened.projectRoles[project] = role;
  }
  return widened;
}
