import { ApiError, apiV2, Code, create, timestampFromMs } from '@ingot/api';
import { metaOf, type Stored } from '../store/entity-table.ts';
import { memberId, type Stores } from '../store/stores.ts';
import { inheritedRole } from './roles.ts';

const { ProjectMemberSchema, ProjectRole } = apiV2;

function member(id: string, role: apiV2.ProjectRole): apiV2.ProjectMember {
  if (role === ProjectRole.UNSPECIFIED) throw new ApiError(Code.InvalidArgument, 'role is missing');
  return create(ProjectMemberSchema, { id, role });
}

function noMember(project: string, who: string): ApiError {
  return new ApiError(Code.NotFound, `"${who}" is no member of project ${project}`);
}

/** Only who is a tenant can be a member. */
export async function addMember(stores: Stores, project: string, who: string, role: apiV2.ProjectRole): Promise<void> {
  await stores.projects.need(project);
  await stores.tenants.need(who);
  await stores.projectMembers.create(memberId(project, who), member(who, role));
}

/** Throws `NotFound`. */
export async function removeMember(stores: Stores, project: string, who: string): Promise<void> {
  if (!(await stores.projectMembers.delete(memberId(project, who)))) throw noMember(project, who);
}

/** Throws `NotFound`. */
export async function updateMember(
  stores: Stores,
  project: string,
  who: string,
  role: apiV2.ProjectRole,
): Promise<apiV2.ProjectMember> {
  const id = memberId(project, who);
  if ((await stores.projectMembers.get(id)) === undefined) throw noMember(project, who);
  return memberView(await stores.projectMembers.put(id, member(who, role)));
}

/** Members of the project, then those by their role in its tenant who are not members themselves. */
export async function membersOf(stores: Stores, project: string): Promise<apiV2.ProjectMember[]> {
  const own = (await stores.projectMembers.list({ project })).map(memberView);
  const { tenant } = (await stores.projects.need(project)).value;
  const known = new Set(own.map(({ id }) => id));
  const inherited = (await stores.tenantMembers.list({ tenant }))
    .filter(({ value }) => !known.has(value.id) && inheritedRole(value.role) !== ProjectRole.UNSPECIFIED)
    .map((stored) =>
      create(ProjectMemberSchema, {
        id: stored.value.id,
        role: inheritedRole(stored.value.role),
        inheritedMembership: true,
        createdAt: timestampFromMs(stored.createdAt),
        meta: metaOf(stored),
      }),
    );
  return [...own, ...inherited];
}

function memberView(stored: Stored<apiV2.ProjectMember>): apiV2.ProjectMember {
  return create(ProjectMemberSchema, {
    id: stored.value.id,
    role: stored.value.role,
    createdAt: timestampFromMs(stored.createdAt),
    meta: metaOf(stored),
  });
}
