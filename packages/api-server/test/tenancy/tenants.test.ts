import { adminV2, apiV2, Code, createClient, durationFromMs, timestampFromMs, type ApiClient } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { sweepInvites } from '../../src/tenancy/invite.ts';
import { failure, startRig, type Rig } from '../support.ts';

const { ProjectRole, TenantRole, TokenType } = apiV2;
const DAY_MS = 24 * 60 * 60 * 1000;

interface Person {
  readonly tenants: ApiClient<typeof apiV2.TenantService>;
  readonly projects: ApiClient<typeof apiV2.ProjectService>;
  readonly user: ApiClient<typeof apiV2.UserService>;
}

/** Somebody with a tenant of the own name, and a token of a person. */
async function person(rig: Rig, login: string): Promise<Person> {
  await createClient(adminV2.TenantService, rig.admin).create({ name: login });
  const { secret, token } = await createClient(adminV2.TokenService, rig.admin).create({
    user: login,
    tokenCreateRequest: { expires: durationFromMs(DAY_MS) },
  });
  expect(token?.tokenType).toBe(TokenType.USER);
  const channel = rig.channel(secret);
  return {
    tenants: createClient(apiV2.TenantService, channel),
    projects: createClient(apiV2.ProjectService, channel),
    user: createClient(apiV2.UserService, channel),
  };
}

describe('a tenant', () => {
  test('belongs to whoever made it, and lists its members', async () => {
    await using rig = await startRig();
    const [alice, bob] = [await person(rig, 'alice'), await person(rig, 'bob')];
    const login = (await alice.tenants.create({ name: 'acme' })).tenant?.login ?? '';
    expect((await alice.tenants.list({})).tenants.map(({ name }) => name).toSorted()).toEqual(['acme', 'alice']);
    expect((await failure(bob.tenants.get({ login }))).code).toBe(Code.PermissionDenied);
    await alice.tenants.addMember({ login, member: 'bob', role: TenantRole.VIEWER });
    const { tenantMembers } = await bob.tenants.get({ login });
    expect(tenantMembers.map(({ id, role }) => [id, role])).toEqual([
      ['alice', TenantRole.OWNER],
      ['bob', TenantRole.VIEWER],
    ]);
    expect((await failure(bob.tenants.delete({ login }))).code).toBe(Code.PermissionDenied);
    expect((await bob.user.get({})).user?.tenants.map(({ name }) => name).toSorted()).toEqual(['acme', 'bob']);
  });

  test('lists its members with those of its projects that they are members of', async () => {
    await using rig = await startRig();
    const [alice] = [await person(rig, 'alice'), await person(rig, 'bob')];
    const login = (await alice.tenants.create({ name: 'acme' })).tenant?.login ?? '';
    await alice.tenants.addMember({ login, member: 'bob', role: TenantRole.GUEST });
    const project = async (tenant: string): Promise<string> =>
      (await alice.projects.create({ login: tenant, name: 'web' })).project?.uuid ?? '';
    const [ours, elsewhere] = [await project(login), await project('alice')];
    for (const one of [ours, elsewhere])
      await alice.projects.addMember({ project: one, member: 'bob', role: ProjectRole.VIEWER });
    const { tenantMembers } = await alice.tenants.get({ login });
    expect(tenantMembers.map(({ id, projects }) => [id, projects])).toEqual([
      ['alice', []],
      ['bob', [ours]],
    ]);
  });

  test('changes and removes members only, with a role', async () => {
    await using rig = await startRig();
    const [alice] = [await person(rig, 'alice'), await person(rig, 'bob')];
    const login = (await alice.tenants.create({ name: 'acme' })).tenant?.login ?? '';
    const project = (await alice.projects.create({ login, name: 'web' })).project?.uuid ?? '';
    for (const attempt of [
      () => alice.tenants.updateMember({ login, member: 'bob', role: TenantRole.VIEWER }),
      () => alice.tenants.removeMember({ login, member: 'bob' }),
      () => alice.projects.updateMember({ project, member: 'bob', role: ProjectRole.VIEWER }),
      () => alice.projects.removeMember({ project, member: 'bob' }),
      () => alice.projects.addMember({ project, member: 'nobody', role: ProjectRole.VIEWER }),
      () => alice.tenants.addMember({ login, member: 'nobody', role: TenantRole.VIEWER }),
    ])
      expect((await failure(attempt())).code).toBe(Code.NotFound);
    await alice.projects.addMember({ project, member: 'bob', role: ProjectRole.VIEWER });
    const changed = await alice.projects.updateMember({ project, member: 'bob', role: ProjectRole.EDITOR });
    expect(changed.projectMember).toMatchObject({ id: 'bob', role: ProjectRole.EDITOR });
    // A role in the tenant is not listed beside the one in the project.
    await alice.tenants.addMember({ login, member: 'bob', role: TenantRole.GUEST });
    const listed = async (): Promise<string[]> =>
      (await alice.projects.get({ project })).projectMembers.map(({ id }) => id);
    expect(await listed()).toEqual(['bob', 'alice']);
    await alice.projects.removeMember({ project, member: 'bob' });
    // A guest of the tenant is none of its projects.
    expect(await listed()).toEqual(['alice']);
  });

  test('keeps an owner, whatever is tried', async () => {
    await using rig = await startRig();
    const [alice] = [await person(rig, 'alice'), await person(rig, 'bob')];
    const login = (await alice.tenants.create({ name: 'acme' })).tenant?.login ?? '';
    await alice.tenants.addMember({ login, member: 'bob', role: TenantRole.EDITOR });
    for (const attempt of [
      () => alice.tenants.leave({ login }),
      () => alice.tenants.removeMember({ login, member: 'alice' }),
      () => alice.tenants.updateMember({ login, member: 'alice', role: TenantRole.VIEWER }),
    ])
      expect((await failure(attempt())).message).toContain('is the last owner');
    await alice.tenants.updateMember({ login, member: 'bob', role: TenantRole.OWNER });
    await alice.tenants.leave({ login });
  });

  test('with projects is not deleted', async () => {
    await using rig = await startRig();
    const alice = await person(rig, 'alice');
    const { project } = await alice.projects.create({ login: 'alice', name: 'web' });
    expect((await failure(alice.tenants.delete({ login: 'alice' }))).message).toContain('has 1 projects, as web');
    await alice.projects.delete({ project: project?.uuid ?? '' });
    await alice.tenants.delete({ login: 'alice' });
  });

  test('is joined once with an invite, which ends after a week', async () => {
    await using rig = await startRig();
    const [alice, bob, eve] = [await person(rig, 'alice'), await person(rig, 'bob'), await person(rig, 'eve')];
    const login = (await alice.tenants.create({ name: 'acme' })).tenant?.login ?? '';
    const { invite } = await alice.tenants.invite({ login, role: TenantRole.GUEST });
    const secret = invite?.secret ?? '';
    expect((await bob.tenants.inviteGet({ secret })).invite?.targetTenantName).toBe('acme');
    expect((await bob.tenants.inviteAccept({ secret })).tenantName).toBe('acme');
    expect((await failure(eve.tenants.inviteAccept({ secret }))).code).toBe(Code.NotFound);
    const late = (await alice.tenants.invite({ login, role: TenantRole.OWNER })).invite?.secret ?? '';
    expect((await alice.tenants.invitesList({ login })).invites).toHaveLength(1);
    await rig.plane.stores.tenantInvites.edit(late, (value) => {
      value.expiresAt = timestampFromMs(Date.now() - 1000);
    });
    expect((await failure(eve.tenants.inviteAccept({ secret: late }))).message).toContain('has expired');
    expect((await alice.tenants.invitesList({ login })).invites).toEqual([]);
    const open = (await alice.tenants.invite({ login, role: TenantRole.GUEST })).invite?.secret ?? '';
    await sweepInvites(rig.plane.stores, Date.now());
    expect((await rig.plane.stores.tenantInvites.list()).map(({ id }) => id)).toEqual([open]);
  });
});

describe('a project', () => {
  test('is seen and used by members, and by members of its tenant', async () => {
    await using rig = await startRig();
    const [alice, bob, eve] = [await person(rig, 'alice'), await person(rig, 'bob'), await person(rig, 'eve')];
    const login = (await alice.tenants.create({ name: 'acme' })).tenant?.login ?? '';
    const project = (await alice.projects.create({ login, name: 'web' })).project?.uuid ?? '';
    expect((await failure(bob.projects.get({ project }))).code).toBe(Code.PermissionDenied);
    await alice.projects.addMember({ project, member: 'bob', role: ProjectRole.VIEWER });
    expect((await bob.projects.list({})).projects.map(({ name }) => name)).toEqual(['web']);
    expect((await failure(bob.projects.update({ project, updateMeta: {} }))).code).toBe(Code.PermissionDenied);
    await alice.tenants.addMember({ login, member: 'eve', role: TenantRole.EDITOR });
    const { projectMembers } = await eve.projects.get({ project });
    expect(projectMembers.map(({ id, inheritedMembership }) => [id, inheritedMembership])).toEqual([
      ['bob', false],
      ['alice', true],
      ['eve', true],
    ]);
    expect((await failure(eve.projects.delete({ project }))).code).toBe(Code.PermissionDenied);
    await bob.projects.leave({ project });
    expect((await failure(bob.projects.get({ project }))).code).toBe(Code.PermissionDenied);
  });

  test('is joined with an invite', async () => {
    await using rig = await startRig();
    const [alice, bob] = [await person(rig, 'alice'), await person(rig, 'bob')];
    const project = (await alice.projects.create({ login: 'alice', name: 'web' })).project?.uuid ?? '';
    const secret = (await alice.projects.invite({ project, role: ProjectRole.EDITOR })).invite?.secret ?? '';
    await bob.projects.inviteAccept({ secret });
    expect((await failure(bob.projects.inviteAccept({ secret }))).code).toBe(Code.NotFound);
    const gone = (await alice.projects.invite({ project, role: ProjectRole.EDITOR })).invite?.secret ?? '';
    await alice.projects.inviteDelete({ project, secret: gone });
    expect((await failure(bob.projects.inviteGet({ secret: gone }))).code).toBe(Code.NotFound);
  });

  test('of another tenant is not to be had with a role in one', async () => {
    await using rig = await startRig();
    const [alice] = [await person(rig, 'alice'), await person(rig, 'bob')];
    const project = (await alice.projects.create({ login: 'alice', name: 'web' })).project?.uuid ?? '';
    const withRole = async (tenant: string) =>
      createClient(apiV2.ProjectService, rig.channel(await rig.mint({ tenantRoles: { [tenant]: TenantRole.OWNER } })));
    expect((await (await withRole('alice')).get({ project })).project?.name).toBe('web');
    expect((await failure((await withRole('bob')).get({ project }))).code).toBe(Code.PermissionDenied);
  });
});
