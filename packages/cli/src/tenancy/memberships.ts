import { apiV2, timestampDate, toJson } from '@ingot/api';
import { call } from '../api.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import { projectUuid } from '../project-name.ts';
import { inviteOf, type Invite, type Membership } from './commands.ts';

const TENANT_ROLES: Readonly<Record<string, apiV2.TenantRole>> = {
  owner: apiV2.TenantRole.OWNER,
  editor: apiV2.TenantRole.EDITOR,
  viewer: apiV2.TenantRole.VIEWER,
  guest: apiV2.TenantRole.GUEST,
};

const PROJECT_ROLES: Readonly<Record<string, apiV2.ProjectRole>> = {
  owner: apiV2.ProjectRole.OWNER,
  editor: apiV2.ProjectRole.EDITOR,
  viewer: apiV2.ProjectRole.VIEWER,
};

export const TENANTS: Membership = {
  kind: 'tenant',
  argument: 'its login',
  roles: Object.keys(TENANT_ROLES),
  forAdmins: true,
  inviteSchema: apiV2.TenantInviteSchema,
  resolve: (_api, login) => Promise.resolve(login),
  members: async (api, login) =>
    (await api.tenants.get({ login }, call)).tenantMembers.map((member) => ({
      id: member.id,
      role: wordOf(TENANT_ROLES, member.role),
      note: member.projects.length === 0 ? '' : `in ${member.projects.length} projects`,
      createdAt: timeOf(member.createdAt),
      json: toJson(apiV2.TenantMemberSchema, member),
    })),
  add: (api, login, member, word, asAdmin) => {
    const role = numberOf(TENANT_ROLES, word);
    return asAdmin
      ? api.adminTenants.addMember({ tenant: login, member, role }, call)
      : api.tenants.addMember({ login, member, role }, call);
  },
  update: (api, login, member, word) =>
    api.tenants.updateMember({ login, member, role: numberOf(TENANT_ROLES, word) }, call),
  remove: (api, login, member, asAdmin) =>
    asAdmin
      ? api.adminTenants.removeMember({ tenant: login, member }, call)
      : api.tenants.removeMember({ login, member }, call),
  leave: (api, login) => api.tenants.leave({ login }, call),
  invites: async (api, login) => (await api.tenants.invitesList({ login }, call)).invites.map(tenantInvite),
  invite: async (api, login, word) =>
    tenantInvite((await api.tenants.invite({ login, role: numberOf(TENANT_ROLES, word) }, call)).invite),
  inviteOf: async (api, secret) => tenantInvite((await api.tenants.inviteGet({ secret }, call)).invite),
  accept: async (api, secret) => {
    const { tenant, tenantName } = await api.tenants.inviteAccept({ secret }, call);
    return `${tenant}${tenantName === '' || tenantName === tenant ? '' : ` (${tenantName})`}`;
  },
  withdraw: (api, login, secret) => api.tenants.inviteDelete({ login, secret }, call),
};

export const PROJECTS: Membership = {
  kind: 'project',
  argument: 'its uuid or name',
  roles: Object.keys(PROJECT_ROLES),
  forAdmins: false,
  inviteSchema: apiV2.ProjectInviteSchema,
  resolve: projectUuid,
  members: async (api, project) =>
    (await api.projects.get({ project }, call)).projectMembers.map((member) => ({
      id: member.id,
      role: wordOf(PROJECT_ROLES, member.role),
      note: member.inheritedMembership ? 'by the tenant' : '',
      createdAt: timeOf(member.createdAt),
      json: toJson(apiV2.ProjectMemberSchema, member),
    })),
  add: (api, project, member, word) =>
    api.projects.addMember({ project, member, role: numberOf(PROJECT_ROLES, word) }, call),
  update: (api, project, member, word) =>
    api.projects.updateMember({ project, member, role: numberOf(PROJECT_ROLES, word) }, call),
  remove: (api, project, member) => api.projects.removeMember({ project, member }, call),
  leave: (api, project) => api.projects.leave({ project }, call),
  invites: async (api, project) => (await api.projects.invitesList({ project }, call)).invites.map(projectInvite),
  invite: async (api, project, word) =>
    projectInvite((await api.projects.invite({ project, role: numberOf(PROJECT_ROLES, word) }, call)).invite),
  inviteOf: async (api, secret) => projectInvite((await api.projects.inviteGet({ secret }, call)).invite),
  accept: async (api, secret) => {
    const { project, projectName } = await api.projects.inviteAccept({ secret }, call);
    return `${project}${projectName === '' ? '' : ` (${projectName})`}`;
  },
  withdraw: (api, project, secret) => api.projects.inviteDelete({ project, secret }, call),
};

function tenantInvite(invite: apiV2.TenantInvite | undefined): Invite {
  if (invite === undefined) throw without();
  return inviteOf(apiV2.TenantInviteSchema, invite, invite.targetTenant, wordOf(TENANT_ROLES, invite.role));
}

function projectInvite(invite: apiV2.ProjectInvite | undefined): Invite {
  if (invite === undefined) throw without();
  return inviteOf(apiV2.ProjectInviteSchema, invite, invite.project, wordOf(PROJECT_ROLES, invite.role));
}

function without(): CliError {
  return new CliError(CliErrorCode.Api, 'the API server answered without the invite');
}

function numberOf<Role>(roles: Readonly<Record<string, Role>>, word: string): Role {
  const role = roles[word];
  if (role !== undefined) return role;
  throw new CliError(CliErrorCode.Argument, `there is no role ${word}; there are ${Object.keys(roles).join(', ')}`);
}

function wordOf(roles: Readonly<Record<string, number>>, role: number): string {
  return Object.entries(roles).find(([, number]) => number === role)?.[0] ?? '';
}

function timeOf(time: apiV2.TenantMember['createdAt']): string {
  return time === undefined ? '' : timestampDate(time).toISOString();
}
