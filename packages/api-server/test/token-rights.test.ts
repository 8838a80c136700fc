import {
  adminV2,
  apiV2,
  Code,
  create,
  createClient,
  durationFromMs,
  infraV2,
  methodAccess,
  methodPath,
  type DescMethod,
  type DescService,
  type Message,
} from '@ingot/api';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAuthorizer } from '../src/auth/authorizer.ts';
import type { TokenRecord } from '../src/auth/caller.ts';
import { compareRights } from '../src/auth/lent-rights.ts';
import { memberId } from '../src/store/stores.ts';
import { failure, machineA, machineB, startRig, type Rig } from './support.ts';

const { AdminRole, InfraRole, MachineRole, ProjectRole, TenantRole, TokenType } = apiV2;
const isService = (value: unknown): value is DescService =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
const methods = [apiV2, adminV2, infraV2]
  .flatMap((part) => Object.values(part).filter(isService))
  .flatMap((service) => service.methods);
const memberMethods = methods.filter((method) => {
  const { projectRoles, tenantRoles } = methodAccess(method);
  return projectRoles.length + tenantRoles.length > 0;
});
const byPath = new Map(methods.map((method) => [methodPath(method), methodAccess(method)]));

const alice = 'alice';
const tenants = ['acme', 'umbrella', alice] as const;
const projects = ['11111111-0000-4000-8000-000000000001', '22222222-0000-4000-8000-000000000002'] as const;

/** Two tenants with a project each, and a tenant of Alice's own. */
async function people(rig: Rig): Promise<void> {
  const { stores } = rig.plane;
  for (const login of tenants) await stores.tenants.put(login, create(apiV2.TenantSchema, { login, name: login }));
  for (const [index, uuid] of projects.entries())
    await stores.projects.put(uuid, create(apiV2.ProjectSchema, { uuid, name: uuid, tenant: tenants[index] ?? '' }));
}

interface Memberships {
  readonly inTenants: readonly (readonly [string, string, apiV2.TenantRole])[];
  readonly inProjects: readonly (readonly [string, string, apiV2.ProjectRole])[];
}

/** Nobody is a member of anything but this. */
async function setMemberships({ plane: { stores } }: Rig, { inTenants, inProjects }: Memberships): Promise<void> {
  for (const { id } of await stores.tenantMembers.list({})) await stores.tenantMembers.delete(id);
  for (const { id } of await stores.projectMembers.list({})) await stores.projectMembers.delete(id);
  for (const [user, tenant, role] of inTenants)
    await stores.tenantMembers.put(memberId(tenant, user), create(apiV2.TenantMemberSchema, { id: user, role }));
  for (const [user, project, role] of inProjects)
    await stores.projectMembers.put(memberId(project, user), create(apiV2.ProjectMemberSchema, { id: user, role }));
}

const roles = <Role>(subjects: readonly string[], some: readonly Role[]): fc.Arbitrary<Record<string, Role>> =>
  fc.dictionary(fc.constantFrom(...subjects), fc.constantFrom(...some), { maxKeys: 2 });
const all = '*';
const rights = fc.record({
  adminRole: fc.option(fc.constantFrom(AdminRole.VIEWER, AdminRole.EDITOR), { freq: 12, nil: undefined }),
  infraRole: fc.option(fc.constantFrom(InfraRole.VIEWER, InfraRole.EDITOR), { freq: 6, nil: undefined }),
  machineRoles: roles([all, machineA, machineB], [MachineRole.EDITOR, MachineRole.VIEWER]),
  projectRoles: roles([all, ...projects], [ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER]),
  tenantRoles: roles([all, ...tenants], [TenantRole.OWNER, TenantRole.EDITOR, TenantRole.VIEWER, TenantRole.GUEST]),
  permissions: fc.array(
    fc
      .record({
        subject: fc.constantFrom('', all, machineA, ...projects, ...tenants),
        methods: fc.uniqueArray(fc.constantFrom(...byPath.keys()), { minLength: 1, maxLength: 3 }),
      })
      .map((permission) => create(apiV2.MethodPermissionSchema, permission)),
    { maxLength: 2 },
  ),
});
/** What members usually want: a role, or some methods, in one project or tenant. */
const nothing = { adminRole: undefined, infraRole: undefined, machineRoles: {}, projectRoles: {}, tenantRoles: {} };
const ofMembers = fc
  .oneof(
    roles(projects, [ProjectRole.EDITOR, ProjectRole.VIEWER]).map((projectRoles) => ({ ...nothing, projectRoles })),
    roles(tenants, [TenantRole.EDITOR, TenantRole.VIEWER]).map((tenantRoles) => ({ ...nothing, tenantRoles })),
    fc
      .record({
        subject: fc.constantFrom(...projects, ...tenants),
        methods: fc.uniqueArray(fc.constantFrom(...memberMethods.map(methodPath)), { minLength: 1, maxLength: 4 }),
      })
      .map((permission) => ({ ...nothing, permissions: [create(apiV2.MethodPermissionSchema, permission)] })),
  )
  .map((some): Rights => ({ permissions: [], ...some }));
type Rights = typeof rights extends fc.Arbitrary<infer R> ? R : never;
const tokenOf = (user: string, tokenType: apiV2.TokenType, granted: Rights): apiV2.Token =>
  Object.assign(create(apiV2.TokenSchema, { user, tokenType }), granted);

const memberships: fc.Arbitrary<Memberships> = fc.record({
  inTenants: fc.array(
    fc.tuple(
      fc.constant(alice),
      fc.constantFrom(...tenants),
      fc.constantFrom(TenantRole.OWNER, TenantRole.EDITOR, TenantRole.VIEWER, TenantRole.GUEST),
    ),
    { maxLength: 4 },
  ),
  inProjects: fc.array(
    fc.tuple(
      fc.constant(alice),
      fc.constantFrom(...projects),
      fc.constantFrom(ProjectRole.OWNER, ProjectRole.EDITOR, ProjectRole.VIEWER),
    ),
    { maxLength: 3 },
  ),
});

/** A call about any subject that its request can name. */
const call = fc
  .tuple(
    fc.oneof(fc.constantFrom(...methods), fc.constantFrom(...memberMethods)),
    fc.constantFrom(machineA, machineB),
    fc.constantFrom(...projects),
    fc.constantFrom(...tenants),
  )
  .map(([method, uuid, project, login]): readonly [DescMethod, Message] => {
    const request = create(method.input);
    for (const [name, value] of Object.entries({ uuid, project, login }))
      if (name in request || method.input.field[name] !== undefined) Object.assign(request, { [name]: value });
    return [method, request];
  });

test('no token that may be minted allows what its maker may not, then or when memberships have changed', async () => {
  await using rig = await startRig();
  await people(rig);
  const { stores } = rig.plane;
  const authorizer = createAuthorizer(stores);
  const allows = async (record: TokenRecord, [method, request]: readonly [DescMethod, Message]): Promise<boolean> => {
    try {
      await authorizer({ access: methodAccess(method), method, request, caller: { kind: 'token', ...record } });
      return true;
    } catch {
      return false;
    }
  };
  let minted = 0;
  let used = 0;
  let lentUsed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.constantFrom(TokenType.USER, TokenType.USER, TokenType.API), fc.oneof(rights, ofMembers)),
      fc.array(fc.oneof(rights, ofMembers, ofMembers), { minLength: 2, maxLength: 4 }),
      memberships,
      memberships,
      fc.array(call, { minLength: 12, maxLength: 12 }),
      async ([type, granted], wishes, before, after, calls) => {
        await setMemberships(rig, before);
        // Each may be the maker of the next.
        const made: TokenRecord[] = [{ token: tokenOf(alice, type, granted) }];
        for (const wish of wishes) {
          const maker = made.at(-1) ?? { token: create(apiV2.TokenSchema) };
          const token = tokenOf(alice, TokenType.API, wish);
          const { tooMuch, lent } = await compareRights(stores, maker, token, byPath);
          if (tooMuch.length === 0) made.push({ token, lent });
        }
        minted += made.length - 1;
        for (const now of [before, after]) {
          await setMemberships(rig, now);
          for (const [index, record] of made.slice(1).entries())
            for (const one of calls) {
              if (byPath.get(methodPath(one[0]))?.visibility === 'public' || !(await allows(record, one))) continue;
              used += 1;
              if (record.lent !== undefined) lentUsed += 1;
              const maker = made[index];
              const words = `${methodPath(one[0])} by ${JSON.stringify(record, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`;
              expect(maker !== undefined && (await allows(maker, one)), words).toBe(true);
            }
        }
      },
    ),
    { numRuns: 120 },
  );
  // Or nothing was shown.
  expect([minted > 20, used > 50, lentUsed > 0]).toEqual([true, true, true]);
}, 60_000);

describe('a person’s token for a program', () => {
  /** Alice is an editor of a project; her program may read it. */
  async function alicesProgram(rig: Rig) {
    await people(rig);
    const [project] = projects;
    await setMemberships(rig, { inTenants: [], inProjects: [['alice', project, ProjectRole.EDITOR]] });
    const admin = createClient(adminV2.TokenService, rig.admin);
    const request = create(apiV2.TokenServiceCreateRequestSchema, { expires: durationFromMs(600_000) });
    const hers = rig.channel((await admin.create({ user: 'alice', tokenCreateRequest: request })).secret);
    const tokens = createClient(apiV2.TokenService, hers);
    const made = await tokens.create({
      expires: durationFromMs(600_000),
      projectRoles: { [project]: ProjectRole.VIEWER },
    });
    const program = (secret = made.secret) => createClient(apiV2.ProjectService, rig.channel(secret));
    return { project, tokens, program, uuid: made.token?.uuid ?? '' };
  }

  test('may have the role that she has as a member, or less, and in no other project', async () => {
    await using rig = await startRig();
    const { project, tokens, program } = await alicesProgram(rig);
    expect((await program().get({ project })).project?.uuid).toBe(project);
    const more = tokens.create({ expires: durationFromMs(600_000), projectRoles: { [project]: ProjectRole.OWNER } });
    expect((await failure(more)).message).toContain(`lacks: project role for ${project}`);
    const [, other] = projects;
    const elsewhere = tokens.create({
      expires: durationFromMs(600_000),
      projectRoles: { [other]: ProjectRole.VIEWER },
    });
    expect((await failure(elsewhere)).code).toBe(Code.PermissionDenied);
  });

  test('loses what she loses, at its next call and after a restart, and is told why', async () => {
    await using rig = await startRig();
    const { project, program } = await alicesProgram(rig);
    await setMemberships(rig, { inTenants: [], inProjects: [] });
    const denied = await failure(program().get({ project }));
    expect(denied.code).toBe(Code.PermissionDenied);
    expect(denied.message).toContain('it was lent this by alice, who is no such member any more');
    await rig.restart();
    expect((await failure(program().get({ project }))).code).toBe(Code.PermissionDenied);
    await setMemberships(rig, { inTenants: [['alice', 'acme', TenantRole.VIEWER]], inProjects: [] });
    expect((await program().get({ project })).project?.uuid).toBe(project);
  });

  test('has the same rights after an update, and lends no more than it has', async () => {
    await using rig = await startRig();
    const { project, tokens, program, uuid } = await alicesProgram(rig);
    await tokens.update({ uuid, updateMeta: {}, projectRoles: { [project]: ProjectRole.EDITOR } });
    await program().update({ project, updateMeta: { lockingStrategy: 2 }, description: 'by a program' });
    await setMemberships(rig, { inTenants: [], inProjects: [] });
    expect((await failure(program().get({ project }))).code).toBe(Code.PermissionDenied);
  });
});

test('only an administrator makes somebody a token of that person', async () => {
  await using rig = await startRig();
  const path = '/metalstack.admin.v2.TokenService/Create';
  const permissions = [{ visibility: { case: 'admin' as const, value: { methods: [path] } } }];
  const admin = createClient(
    adminV2.TokenService,
    rig.channel(await rig.mint(create(apiV2.TokenServiceCreateRequestSchema, { permissions }))),
  );
  const tokenCreateRequest = { expires: durationFromMs(600_000) };
  expect((await failure(admin.create({ user: 'alice', tokenCreateRequest }))).message).toContain(
    'only an administrator may make it',
  );
});
