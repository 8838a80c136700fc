import { apiV2, clone, create } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { tenantRoleOf } from '../tenancy/roles.ts';
import type { Caller } from './caller.ts';

const { AdminRole, TenantRole, TokenType } = apiV2;

/** What an administrator may do who is one as a member of the tenant that runs the halls. */
const ADMIN_ROLES: Readonly<Partial<Record<apiV2.TenantRole, apiV2.AdminRole>>> = {
  [TenantRole.OWNER]: AdminRole.EDITOR,
  [TenantRole.EDITOR]: AdminRole.VIEWER,
  [TenantRole.VIEWER]: AdminRole.VIEWER,
};

/**
 * Gives people the administrator's rights of their membership in the provider's tenant, for one call: the record of their
 * token has none, so that they end with the membership. Tokens for programs get none.
 */
export function withProviderRights(stores: Stores, provider: string): (caller: Caller) => Promise<Caller> {
  return async (caller) => {
    if (caller.kind === 'anonymous' || caller.token.tokenType !== TokenType.USER) return caller;
    if (caller.token.adminRole === AdminRole.EDITOR) return caller;
    const role = await tenantRoleOf(stores, caller.token.user, provider);
    const adminRole = role === undefined ? undefined : ADMIN_ROLES[role];
    if (adminRole === undefined) return caller;
    const token = clone(apiV2.TokenSchema, caller.token);
    token.adminRole = adminRole;
    return { ...caller, token };
  };
}

/** Makes the provider's tenant at the first start with it; its first owner is made by an administrator. */
export async function ensureProviderTenant(stores: Stores, login: string): Promise<void> {
  await stores.transaction(async (inner) => {
    if (await inner.tenants.has(login)) return;
    const description = 'its members are administrators';
    await inner.tenants.create(
      login,
      create(apiV2.TenantSchema, { login, name: login, description, createdBy: 'admin' }),
    );
  });
}
