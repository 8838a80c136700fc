import { ApiError, apiV2, clone, Code, methodPath, type AccessQuestion } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { inheritedRole, projectRoleOf, strongest, tenantRoleOf } from '../tenancy/roles.ts';
import { authorize, subjectsOf } from './authorize.ts';
import type { Caller } from './caller.ts';
import type { Subjects } from './rights.ts';

const { ProjectRole, TenantRole, TokenType } = apiV2;

/**
 * Decides about every call, streams included: by what the token says, then by what its user is a member of. A token of a
 * person has the rights of all memberships; any other one has what it lists, and with a role in a tenant the same role in
 * the projects of that tenant. Throws `Unauthenticated` or `PermissionDenied`.
 */
export function createAuthorizer(stores: Stores): (question: AccessQuestion<Caller>) => Promise<void> {
  return async (question) => {
    try {
      authorize(question);
    } catch (error) {
      const { caller, access, method, request } = question;
      const isRefused = error instanceof ApiError && error.code === Code.PermissionDenied;
      const isAboutMembers = access.projectRoles.length > 0 || access.tenantRoles.length > 0;
      if (!isRefused || !isAboutMembers || caller.kind === 'anonymous') throw error;
      const token = await withMemberships(stores, caller.token, subjectsOf(methodPath(method), request));
      authorize({ ...question, caller: { kind: 'token', token } });
    }
  };
}

async function withMemberships(stores: Stores, token: apiV2.Token, subjects: Subjects): Promise<apiV2.Token> {
  const widened = clone(apiV2.TokenSchema, token);
  const { project, tenant } = subjects;
  const isPerson = token.tokenType === TokenType.USER;
  if (tenant !== undefined && isPerson) {
    const role = await tenantRoleOf(stores, token.user, tenant);
    if (role !== undefined) widened.tenantRoles[tenant] = role;
  }
  if (project !== undefined) {
    const stored = await stores.projects.get(project);
    const inTenant = token.tenantRoles[stored?.value.tenant ?? ''] ?? token.tenantRoles['*'] ?? TenantRole.UNSPECIFIED;
    const role = strongest(
      stored === undefined ? ProjectRole.UNSPECIFIED : inheritedRole(inTenant),
      (isPerson ? await projectRoleOf(stores, token.user, project) : undefined) ?? ProjectRole.UNSPECIFIED,
    );
    if (role !== undefined) widened.projectRoles[project] = role;
  }
  return widened;
}
