import { apiV2 } from '@ingot/api';
import { memberId, type Stores } from '../store/stores.ts';

const { ProjectRole, TenantRole } = apiV2;

/** The role in a project that comes with a role in the tenant of the project. Guests of a tenant have none. */
export function inheritedRole(role: apiV2.TenantRole): apiV2.ProjectRole {
  switch (role) {
    case TenantRole.OWNER:
      return ProjectRole.OWNER;
    case TenantRole.EDITOR:
      return ProjectRole.EDITOR;
    case TenantRole.VIEWER:
      return ProjectRole.VIEWER;
    default:
      return ProjectRole.UNSPECIFIED;
  }
}

/** In every kind of role a smaller number means more rights, and 0 means none. */
export function strongest<Role extends number>(...roles: readonly Role[]): Role | undefined {
  const some = roles.filter((role) => role > 0);
  return some.toSorted((a, b) => a - b)[0];
}

/** The role of a user in a tenant: its own, or that of a member. */
export async function tenantRoleOf(
  stores: Stores,
  user: string,
  tenant: string,
): Promise<apiV2.TenantRole | undefined> {
  if (user === tenant) return TenantRole.OWNER;
  return (await stores.tenantMembers.get(memberId(tenant, user)))?.value.role;
}

/** The role of a user in a project: that of a member, or the one inherited from the project's tenant. */
export async function projectRoleOf(
  stores: Stores,
  user: string,
  project: string,
): Promise<apiV2.ProjectRole | undefined> {
  const stored = await stores.projects.get(project);
  if (stored === undefined) return undefined;
  const own = (await stores.projectMembers.get(memberId(project, user)))?.value.role;
  const inTenant = await tenantRoleOf(stores, user, stored.value.tenant);
  return strongest(own ?? ProjectRole.UNSPECIFIED, inheritedRole(inTenant ?? TenantRole.UNSPECIFIED));
}
