import { ApiError, apiV2, Code, create, timestampFromMs } from '@ingot/api';
import { metaOf, type Stored } from '../store/entity-table.ts';
import { memberId, ofMember, type Stores } from '../store/stores.ts';

const { TenantMemberSchema, TenantRole } = apiV2;

/** A member with a role. Throws `InvalidArgument` without one. */
export function member(id: string, role: apiV2.TenantRole): apiV2.TenantMember {
  if (role === TenantRole.UNSPECIFIED) throw new ApiError(Code.InvalidArgument, 'role is missing');
  return create(TenantMemberSchema, { id, role });
}

function noMember(login: string, who: string): ApiError {
  return new ApiError(Code.NotFound, `"${who}" is no member of tenant "${login}"`);
}

/** Only who is a tenant can be a member of one. */
export async function addMember(
  stores: Stores,
  login: string,
  who: string,
  role: apiV2.TenantRole,
): Promise<apiV2.TenantMember> {
  await stores.tenants.need(login);
  await stores.tenants.need(who);
  return memberView(await stores.tenantMembers.create(memberId(login, who), member(who, role)), []);
}

/** Throws `NotFound`, and `FailedPrecondition` for the last owner. */
export async function removeMember(stores: Stores, login: string, who: string): Promise<apiV2.TenantMember> {
  const stored = await stores.tenantMembers.get(memberId(login, who));
  if (stored === undefined) throw noMember(login, who);
  await keepAnOwner(stores, login, who);
  await stores.tenantMembers.delete(stored.id);
  return memberView(stored, []);
}

/** Throws `NotFound`, and `FailedPrecondition` when nobody would be an owner any more. */
export async function updateMember(
  stores: Stores,
  login: string,
  who: string,
  role: apiV2.TenantRole,
): Promise<apiV2.TenantMember> {
  const id = memberId(login, who);
  if ((await stores.tenantMembers.get(id)) === undefined) throw noMember(login, who);
  if (role !== TenantRole.OWNER) await keepAnOwner(stores, login, who);
  return memberView(await stores.tenantMembers.put(id, member(who, role)), []);
}

/** A tenant of a user is the user's; any other one would belong to nobody without its last owner. */
async function keepAnOwner(stores: Stores, login: string, leaving: string): Promise<void> {
  const members = await stores.tenantMembers.list({ tenant: login });
  const isOwner = members.some(({ value }) => value.id === leaving && value.role === TenantRole.OWNER);
  const others = members.filter(({ value }) => value.role === TenantRole.OWNER && value.id !== leaving);
  if (isOwner && others.length === 0)
    throw new ApiError(
      Code.FailedPrecondition,
      `"${leaving}" is the last owner of tenant "${login}": make somebody else an owner first, or delete the tenant`,
    );
}

/** Members, with their projects of the tenant. */
export async function membersOf(stores: Stores, login: string): Promise<apiV2.TenantMember[]> {
  const projects = await stores.projects.list({ tenant: login });
  const memberships = await stores.projectMembers.list({ project: projects.map(({ id }) => id) });
  return (await stores.tenantMembers.list({ tenant: login })).map((stored) =>
    memberView(
      stored,
      memberships.filter(({ value }) => value.id === stored.value.id).map(({ id }) => ofMember(id).of),
    ),
  );
}

function memberView(stored: Stored<apiV2.TenantMember>, projects: readonly string[]): apiV2.TenantMember {
  return create(TenantMemberSchema, {
    id: stored.value.id,
    role: stored.value.role,
    projects: [...projects],
    createdAt: timestampFromMs(stored.createdAt),
    meta: metaOf(stored),
  });
}
