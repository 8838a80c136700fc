import { adminV2, ApiError, apiV2, bindService, Code, create, type BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { memberId, ofMember } from '../store/stores.ts';
import type { Stored } from '../store/entity-table.ts';
import { inviteExpiry, inviteSecret, noInvite, openInvite, openInvites } from '../tenancy/invite.ts';
import { addMember, member, membersOf, removeMember, updateMember } from '../tenancy/tenant-members.ts';
import { entityView } from '../views/entity-view.ts';
import type { ServiceDependencies } from './context.ts';
import { once } from './once.ts';
import { userOf } from './user-of.ts';
import { hasLabels, updateEntity, updateLabels } from './update-entity.ts';

const { TenantSchema, TenantInviteSchema, TenantRole } = apiV2;

/** `metalstack.api.v2.TenantService`. */
export function tenantService({ stores, clock, entropy }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof apiV2.TenantService, Caller>(apiV2.TenantService, {
    create: (request, context) =>
      once(stores, {
        method: apiV2.TenantService.method.create,
        request,
        context,
        make: async (inner) => {
          const { name, description, email, avatarUrl, labels } = request;
          const user = userOf(context.caller);
          const login = uuidV7(clock.now(), entropy);
          const stored = await inner.tenants.create(
            login,
            create(TenantSchema, {
              login,
              name,
              description: description ?? '',
              email: email ?? '',
              avatarUrl: avatarUrl ?? '',
              createdBy: user,
              ...(labels === undefined ? {} : { meta: { labels } }),
            }),
          );
          await inner.tenantMembers.create(memberId(login, user), member(user, TenantRole.OWNER));
          return { id: login, answer: { tenant: entityView(TenantSchema, stored) } };
        },
        again: async (inner, id) => ({ tenant: entityView(TenantSchema, await inner.tenants.need(id)) }),
      }),
    async list({ query }, { caller }) {
      const user = userOf(caller);
      const memberships = await stores.tenantMembers.list({ member: user });
      const ids = [user, ...memberships.map(({ id }) => ofMember(id).of)];
      const found = await stores.tenants.getMany(ids);
      return { tenants: selected([...found.values()], query) };
    },
    async get({ login }) {
      return {
        tenant: entityView(TenantSchema, await stores.tenants.need(login)),
        tenantMembers: await membersOf(stores, login),
      };
    },
    async update({ login, updateMeta, name, email, description, avatarUrl, labels }) {
      const stored = await updateEntity(stores.tenants, login, updateMeta, (tenant) => {
        if (name !== undefined) tenant.name = name;
        if (email !== undefined) tenant.email = email;
        if (description !== undefined) tenant.description = description;
        if (avatarUrl !== undefined) tenant.avatarUrl = avatarUrl;
        updateLabels(tenant, labels);
      });
      return { tenant: entityView(TenantSchema, stored) };
    },
    delete: ({ login }) =>
      stores.transaction(async (inner) => {
        const stored = await inner.tenants.need(login);
        const projects = await inner.projects.list({ tenant: login });
        if (projects.length > 0) {
          const names = projects.slice(0, 3).map(({ value }) => `${value.name} (${value.uuid})`);
          throw new ApiError(
            Code.FailedPrecondition,
            `tenant "${login}" has ${projects.length} projects, as ${names.join(', ')}: delete those first`,
          );
        }
        for (const { id } of await inner.tenantMembers.list({ tenant: login })) await inner.tenantMembers.delete(id);
        for (const { id } of await inner.tenantInvites.list({ tenant: login })) await inner.tenantInvites.delete(id);
        await inner.tenants.delete(login);
        return { tenant: entityView(TenantSchema, stored) };
      }),
    leave: ({ login }, { caller }) =>
      stores.transaction(async (inner) => {
        await removeMember(inner, login, userOf(caller));
        return {};
      }),
    addMember: ({ login, member: who, role }) =>
      stores.transaction(async (inner) => ({ tenantMember: await addMember(inner, login, who, role) })),
    removeMember: ({ login, member: who }) =>
      stores.transaction(async (inner) => ({ tenantMember: await removeMember(inner, login, who) })),
    updateMember: ({ login, member: who, role }) =>
      stores.transaction(async (inner) => ({ tenantMember: await updateMember(inner, login, who, role) })),
    invite: ({ login, role }, { caller }) =>
      stores.transaction(async (inner) => {
        const target = await inner.tenants.need(login);
        if (role === TenantRole.UNSPECIFIED) throw new ApiError(Code.InvalidArgument, 'role is missing');
        const secret = inviteSecret(entropy);
        const invite = create(TenantInviteSchema, {
          secret,
          targetTenant: login,
          targetTenantName: target.value.name,
          role,
          tenant: userOf(caller),
          tenantName: (await inner.tenants.get(userOf(caller)))?.value.name ?? '',
          expiresAt: inviteExpiry(clock.now()),
        });
        await inner.tenantInvites.create(secret, invite);
        return { invite };
      }),
    inviteAccept: ({ secret }, { caller }) =>
      stores.transaction(async (inner) => {
        const invite = await openInvite(inner.tenantInvites, secret, clock.now());
        await addMember(inner, invite.targetTenant, userOf(caller), invite.role);
        await inner.tenantInvites.delete(secret);
        return { tenant: invite.targetTenant, tenantName: invite.targetTenantName };
      }),
    inviteDelete: ({ login, secret }) =>
      stores.transaction(async (inner) => {
        const invite = await inner.tenantInvites.get(secret);
        if (invite?.value.targetTenant !== login) throw noInvite();
        await inner.tenantInvites.delete(secret);
        return {};
      }),
    invitesList: async ({ login }) => ({
      invites: openInvites(await stores.tenantInvites.list({ tenant: login }), clock.now()),
    }),
    inviteGet: async ({ secret }) => ({ invite: await openInvite(stores.tenantInvites, secret, clock.now()) }),
  });
}

/** `metalstack.admin.v2.TenantService`. */
export function adminTenantService({ stores }: ServiceDependencies): BoundService<Caller> {
  return bindService<typeof adminV2.TenantService, Caller>(adminV2.TenantService, {
    create: ({ name, description, email, avatarUrl, labels }, { caller }) =>
      stores.transaction(async (inner) => {
        const tenant = create(TenantSchema, {
          login: name,
          name,
          description: description ?? '',
          email: email ?? '',
          avatarUrl: avatarUrl ?? '',
          createdBy: userOf(caller),
          ...(labels === undefined ? {} : { meta: { labels } }),
        });
        if (name.includes('/')) throw new ApiError(Code.InvalidArgument, `"${name}": a login has no slash`);
        return { tenant: entityView(TenantSchema, await inner.tenants.create(name, tenant)) };
      }),
    async list({ query }) {
      const all = selected(await stores.tenants.list(), query);
      const count = Number(query?.paging?.count ?? 0n);
      if (count === 0) return { tenants: all };
      const page = Number(query?.paging?.page ?? 0n);
      const isLast = (page + 1) * count >= all.length;
      return {
        tenants: all.slice(page * count, (page + 1) * count),
        ...(isLast ? {} : { nextPage: BigInt(page + 1) }),
      };
    },
    addMember: ({ tenant, member: who, role }) =>
      stores.transaction(async (inner) => ({ tenantMember: await addMember(inner, tenant, who, role) })),
    removeMember: ({ tenant, member: who }) =>
      stores.transaction(async (inner) => ({ tenantMember: await removeMember(inner, tenant, who) })),
  });
}

function selected(tenants: readonly Stored<apiV2.Tenant>[], query: apiV2.TenantQuery | undefined): apiV2.Tenant[] {
  return tenants
    .map((stored) => entityView(TenantSchema, stored))
    .filter(
      (tenant) =>
        (query?.login === undefined || tenant.login === query.login) &&
        (query?.name === undefined || tenant.name === query.name) &&
        hasLabels(tenant, query?.labels),
    )
    .toSorted((a, b) => (a.login < b.login ? -1 : 1));
}
