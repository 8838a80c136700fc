import { apiV2, create, type MessageInitShape } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import type { TokenRecord } from '../../src/auth/caller.ts';
import { compareRights, splitRights } from '../../src/auth/lent-rights.ts';
import { createStores, memberId, type Stores } from '../../src/store/stores.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';

const { AdminRole, InfraRole, MachineRole, ProjectRole, TenantRole, TokenType } = apiV2;

type TokenInit = Exclude<MessageInitShape<typeof apiV2.TokenSchema>, apiV2.Token>;

const token = (init: TokenInit): apiV2.Token =>
  create(apiV2.TokenSchema, { tokenType: TokenType.API, user: 'svc', ...init });
const methods = (subject: string): NonNullable<TokenInit['permissions']>[number] => ({ subject, methods: ['/x/Y'] });

describe('the rights of a token', () => {
  const whole = token({
    adminRole: AdminRole.VIEWER,
    infraRole: InfraRole.VIEWER,
    machineRoles: { '*': MachineRole.VIEWER },
    projectRoles: { lent: ProjectRole.EDITOR, own: ProjectRole.VIEWER },
    tenantRoles: { lent: TenantRole.EDITOR, own: TenantRole.VIEWER },
    permissions: [methods('lent'), methods('own'), methods('')],
  });

  test('are its own where nobody lent it any', () => {
    expect(splitRights({ token: whole, lent: undefined })).toEqual({ own: whole });
  });

  test('are its own but for those about what its maker lent it', () => {
    const { own, borrowed } = splitRights({ token: whole, lent: { maker: 'bob', subjects: ['lent'] } });
    expect(own).toMatchObject({
      adminRole: AdminRole.VIEWER,
      infraRole: InfraRole.VIEWER,
      machineRoles: { '*': MachineRole.VIEWER },
    });
    expect([own.projectRoles, own.tenantRoles]).toEqual([{ own: ProjectRole.VIEWER }, { own: TenantRole.VIEWER }]);
    expect(own.permissions.map(({ subject }) => subject)).toEqual(['own', '']);
    expect([borrowed?.adminRole, borrowed?.infraRole, borrowed?.machineRoles]).toEqual([undefined, undefined, {}]);
    expect([borrowed?.projectRoles, borrowed?.tenantRoles]).toEqual([
      { lent: ProjectRole.EDITOR },
      { lent: TenantRole.EDITOR },
    ]);
    expect(borrowed?.permissions.map(({ subject }) => subject)).toEqual(['lent']);
  });
});

describe('a token of which a right is lent', () => {
  /** Bob is an editor of project p1. */
  async function withBob(work: (stores: Stores) => Promise<void>): Promise<void> {
    await using place = await sqlitePlace();
    const clock = new MockClock();
    await using database = await place.open(clock);
    const stores = createStores(database, clock);
    for (const name of ['acme', 'bob'])
      await stores.tenants.create(name, create(apiV2.TenantSchema, { login: name, name }));
    await stores.projects.create('p1', create(apiV2.ProjectSchema, { uuid: 'p1', name: 'web', tenant: 'acme' }));
    const member = create(apiV2.ProjectMemberSchema, { id: 'bob', role: ProjectRole.EDITOR });
    await stores.projectMembers.create(memberId('p1', 'bob'), member);
    await work(stores);
  }

  const wants = (role: apiV2.ProjectRole): apiV2.Token => token({ projectRoles: { p1: role } });
  const lent = (role: apiV2.ProjectRole): TokenRecord => ({
    token: wants(role),
    lent: { maker: 'bob', subjects: ['p1'] },
  });
  const compare = (stores: Stores, creator: TokenRecord, role: apiV2.ProjectRole) =>
    compareRights(stores, creator, wants(role), new Map());

  test('may give it on while its lender has it, and it stays lent by the same', () =>
    withBob(async (stores) => {
      const given = { tooMuch: [], lent: { maker: 'bob', subjects: ['p1'] } };
      expect(await compare(stores, lent(ProjectRole.EDITOR), ProjectRole.EDITOR)).toEqual(given);
      expect(await compare(stores, lent(ProjectRole.EDITOR), ProjectRole.VIEWER)).toEqual(given);
      await stores.projectMembers.delete(memberId('p1', 'bob'));
      expect((await compare(stores, lent(ProjectRole.EDITOR), ProjectRole.VIEWER)).tooMuch).toEqual([
        'project role for p1',
      ]);
    }));

  test('may give on no more than it has itself, nor than its lender has', () =>
    withBob(async (stores) => {
      for (const [has, gives] of [
        [ProjectRole.VIEWER, ProjectRole.EDITOR],
        [ProjectRole.OWNER, ProjectRole.OWNER],
      ] as const)
        expect(await compare(stores, lent(has), gives)).toEqual({ tooMuch: ['project role for p1'] });
    }));

  test('needs no lender for what is its own', () =>
    withBob(async (stores) => {
      const own: TokenRecord = { token: wants(ProjectRole.EDITOR), lent: undefined };
      expect(await compare(stores, own, ProjectRole.VIEWER)).toEqual({ tooMuch: [] });
      expect(await compare(stores, own, ProjectRole.OWNER)).toEqual({ tooMuch: ['project role for p1'] });
    }));

  test('gets every right compared, also two about one subject, and those about none', () =>
    withBob(async (stores) => {
      const creator = { token: token({ tenantRoles: { p1: TenantRole.OWNER } }), lent: undefined };
      const wanted = token({
        adminRole: AdminRole.VIEWER,
        infraRole: InfraRole.VIEWER,
        projectRoles: { p1: ProjectRole.OWNER },
        tenantRoles: { p1: TenantRole.OWNER },
      });
      expect(await compareRights(stores, creator, wanted, new Map())).toEqual({
        tooMuch: ['admin role', 'infra role', 'project role for p1'],
      });
    }));

  test('is made by a person with what that person is a member of', () =>
    withBob(async (stores) => {
      const bob: TokenRecord = { token: token({ tokenType: TokenType.USER, user: 'bob' }), lent: undefined };
      expect(await compare(stores, bob, ProjectRole.EDITOR)).toEqual({
        tooMuch: [],
        lent: { maker: 'bob', subjects: ['p1'] },
      });
      expect(await compare(stores, bob, ProjectRole.OWNER)).toEqual({ tooMuch: ['project role for p1'] });
    }));
});
