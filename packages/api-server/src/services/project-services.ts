import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { ofMember, type Stores } from '../store/stores.ts';
import type { Stored } from '../store/entity-table.ts';
import { inviteExpiry, inviteSecret, noInvite, openInvite, openInvites } from '../tenancy/invite.ts';
import { addMember, membersOf, removeMember, updateMember } from '../tenancy/project-members.ts';
import { inheritedRole } from '../tenancy/roles.ts';
import { entityView } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { once } from './once.ts';
import { userOf } from './user-of.ts';
import { hasLabels, updateEntity, updateLabels } from './update-entity.ts';

const { ProjectSchema, ProjectInviteSchema, ProjectRole } = apiV2;

/** `metalstack.api.v2.ProjectService`. */
export function projectService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.ProjectService, Caller>(apiV2.ProjectService, {
    async list({ query }, { caller }) {
      const all = await visibleProjects(stores, userOf(caller));
      return { projects: selected(all, query) };
    },
    get: async ({ project }) => ({
      project: entityView(ProjectSchema, await stores.projects.need(project)),
      projectMembers: await membersOf(stores, project),
    }),
    create: (request, context) =>
      once(stores, {
        method: apiV2.ProjectService.method.create,
        request,
        context,
        make: async (inner) => {
          const { login, name, description, avatarUrl, labels } = request;
          await inner.tenants.need(login);
          const uuid = uuidV7(clock.now(), entropy);
          const project = create(ProjectSchema, {
            uuid,
            name,
            description,
            tenant: login,
            ...(avatarUrl === undefined ? {} : { avatarUrl }),
            ...(labels === undefined ? {} : { meta: { labels } }),
          });
          const stored = await inner.projects.create(uuid, project);
          return { id: uuid, answer: { project: entityView(ProjectSchema, stored) } };
        },
        again: async (inner, id) => ({ project: entityView(ProjectSchema, await inner.projects.need(id)) }),
      }),
    delete: ({ project }) =>
      stores.transaction(async (inner) => {
        const stored = await inner.projects.need(project);
        await checkEmpty(inner, project);
        for (const { id } of await inner.projectMembers.list({ project })) await inner.projectMembers.delete(id);
        for (const { id } of await inner.projectInvites.list({ project })) await inner.projectInvites.delete(id);
        await inner.projects.delete(project);
        return { project: entityView(ProjectSchema, stored) };
      }),
    async update({ project: id, updateMeta, name, description, avatarUrl, labels }) {
      const stored = await updateEntity(stores.projects, id, updateMeta, (project) => {
        if (name !== undefined) project.name = name;
        if (description !== undefined) project.description = description;
        if (avatarUrl !== undefined) project.avatarUrl = avatarUrl;
        updateLabels(project, labels);
      });
      return { project: entityView(ProjectSchema, stored) };
    },
    leave: ({ project }, { caller }) =>
      stores.transaction(async (inner) => {
        await removeMember(inner, project, userOf(caller));
        return {};
      }),
    addMember: ({ project, member: who, role }) =>
      stores.transaction(async (inner) => {
        await addMember(inner, project, who, role);
        return { projectMember: role };
      }),
    removeMember: ({ project, member: who }) =>
      stores.transaction(async (inner) => {
        await removeMember(inner, project, who);
        return {};
      }),
    updateMember: ({ project, member: who, role }) =>
      stores.transaction(async (inner) => ({ projectMember: await updateMember(inner, project, who, role) })),
    invite: ({ project, role }) =>
      stores.transaction(async (inner) => {
        const { name, tenant } = (await inner.projects.need(project)).value;
        if (role === ProjectRole.UNSPECIFIED) throw new ApiError(Code.InvalidArgument, 'role is missing');
        const secret = inviteSecret(entropy);
        const invite = create(ProjectInviteSchema, {
          secret,
          project,
          projectName: name,
          role,
          tenant,
          tenantName: (await inner.tenants.get(tenant))?.value.name ?? '',
          expiresAt: inviteExpiry(clock.now()),
        });
        await inner.projectInvites.create(secret, invite);
        return { invite };
      }),
    inviteAccept: ({ secret }, { caller }) =>
      stores.transaction(async (inner) => {
        const invite = await openInvite(inner.projectInvites, secret, clock.now());
        await addMember(inner, invite.project, userOf(caller), invite.role);
        await inner.projectInvites.delete(secret);
        return { project: invite.project, projectName: invite.projectName };
      }),
    inviteDelete: ({ project, secret }) =>
      stores.transaction(async (inner) => {
        const invite = await inner.projectInvites.get(secret);
        if (invite?.value.project !== project) throw noInvite();
        await inner.projectInvites.delete(secret);
        return {};
      }),
    invitesList: async ({ project }) => ({
      invites: openInvites(await stores.projectInvites.list({ project }), clock.now()),
    }),
    inviteGet: async ({ secret }) => ({ invite: await openInvite(stores.projectInvites, secret, clock.now()) }),
  });
}

/** `metalstack.admin.v2.ProjectService`. */
export function adminProjectService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.ProjectService, Caller>(adminV2.ProjectService, {
    list: async ({ query }) => ({ projects: selected(await stores.projects.list(), query) }),
  });
}

/** `metalstack.api.v2.UserService`: the caller, and what it may see. */
export function userService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.UserService, Caller>(apiV2.UserService, {
    async get(_request, { caller }) {
      const login = userOf(caller);
      const own = await stores.tenants.get(login);
      const memberships = await stores.tenantMembers.list({ member: login });
      const tenants = await stores.tenants.getMany([login, ...memberships.map(({ id }) => ofMember(id).of)]);
      const view = (stored: Stored<apiV2.Tenant>): apiV2.Tenant => entityView(apiV2.TenantSchema, stored);
      return {
        user: {
          login,
          name: own?.value.name ?? login,
          email: own?.value.email ?? '',
          avatarUrl: own?.value.avatarUrl ?? '',
          tenants: [...tenants.values()].map(view),
          projects: selected(await visibleProjects(stores, login), undefined),
          ...(own === undefined ? {} : { defaultTenant: view(own) }),
        },
      };
    },
  });
}

async function visibleProjects(stores: Stores, user: string): Promise<Stored<apiV2.Project>[]> {
  const memberships = await stores.projectMembers.list({ member: user });
  const tenants = (await stores.tenantMembers.list({ member: user }))
    .filter(({ value }) => inheritedRole(value.role) !== ProjectRole.UNSPECIFIED)
    .map(({ id }) => ofMember(id).of);
  const inherited = await stores.projects.list({ tenant: [user, ...tenants] });
  const own = await stores.projects.getMany(memberships.map(({ id }) => ofMember(id).of));
  return [...new Map([...inherited, ...own.values()].map((stored) => [stored.id, stored])).values()];
}

async function checkEmpty(stores: Stores, project: string): Promise<void> {
  const counts = [
    [await stores.machines.count({ project }), 'machines'],
    [await stores.networks.count({ project }), 'networks'],
    [await stores.ips.count({ project }), 'addresses'],
    [await stores.sizeReservations.count({ project }), 'size reservations'],
  ] as const;
  const users = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (users.length > 0)
    throw new ApiError(
      Code.FailedPrecondition,
      `project ${project} has ${users.join(', ')}: free or delete those first`,
    );
}

function selected(projects: readonly Stored<apiV2.Project>[], query: apiV2.ProjectQuery | undefined): apiV2.Project[] {
  return projects
    .map((stored) => entityView(ProjectSchema, stored))
    .filter(
      (project) =>
        (query?.uuid === undefined || project.uuid === query.uuid) &&
        (query?.name === undefined || project.name === query.name) &&
        (query?.tenant === undefined || project.tenant === query.tenant) &&
        hasLabels(project, query?.labels),
    )
    .toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1));
}
