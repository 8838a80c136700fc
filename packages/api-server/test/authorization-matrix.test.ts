import {
  adminV2,
  ApiError,
  apiV2,
  create,
  createClient,
  infraV2,
  ingotAdminV1,
  methodAccess,
  methodPath,
  type DescService,
} from '@ingot/api';
import { systemClock } from '@ingot/net';
import { decodeJwt } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { createAuthorizer } from '../src/auth/authorizer.ts';
import type { Caller } from '../src/auth/caller.ts';
import { createStores, memberId, type Stores } from '../src/store/stores.ts';
import { readProtoAccess, type ProtoAccess } from './proto-options.ts';
import { sqlitePlace } from './store/sqlite-place.ts';
import { failure, machineA, machineB, MockClock, startRig } from './support.ts';

const { AdminRole, InfraRole, MachineRole, ProjectRole, TenantRole, TokenType } = apiV2;
const isService = (value: unknown): value is DescService =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
const services = [apiV2, adminV2, infraV2, ingotAdminV1].flatMap((part) => Object.values(part).filter(isService));
const methods = services.flatMap((service) => service.methods);
const access = new Map(readProtoAccess().map((one) => [one.path, one]));
type Method = (typeof methods)[number];

/** What all calls are about, and what they are not about. */
const project = 'cccccccc-0000-4000-8000-00000000000c';
const otherProject = 'dddddddd-0000-4000-8000-00000000000d';
const subjects = { machine: machineA, project, tenant: 'acme' } as const;
const others = { machine: machineB, project: otherProject, tenant: 'globex' } as const;

/** A caller, and the roles of `machineA`, `project` and `acme` that it has: names as in the proto files. */
interface Case {
  readonly token: Partial<apiV2.Token>;
  readonly roles: readonly string[];
  /** Of administrators: all methods; of agents: those about the caller itself, which else come with people's tokens. */
  readonly besides?: 'all' | 'own';
}

const none = { tokenType: TokenType.API };
const projectRoles = { OWNER: ProjectRole.OWNER, EDITOR: ProjectRole.EDITOR, VIEWER: ProjectRole.VIEWER } as const;
const machineRoles = { EDITOR: MachineRole.EDITOR, VIEWER: MachineRole.VIEWER } as const;
const tenantRoles = { ...projectRoles, GUEST: TenantRole.GUEST } as const;
/** With a role in the tenant comes the same role in its projects; guests have none. */
const inTenant = (role: keyof typeof tenantRoles): string[] => [
  `TENANT_ROLE_${role}`,
  ...(role === 'GUEST' ? [] : [`PROJECT_ROLE_${role}`]),
];

const listed: Readonly<Record<string, Case>> = Object.fromEntries([
  ['a token without rights', { token: none, roles: [] }],
  ['an administrator', { token: { ...none, adminRole: AdminRole.EDITOR }, roles: [], besides: 'all' }],
  ['one who may look', { token: { ...none, adminRole: AdminRole.VIEWER }, roles: ['ADMIN_ROLE_VIEWER'] }],
  ['no administrator', { token: { ...none, adminRole: AdminRole.UNSPECIFIED }, roles: [] }],
  ['an agent', { token: { ...none, infraRole: InfraRole.EDITOR }, roles: ['INFRA_ROLE_EDITOR'], besides: 'own' }],
  ['an agent that may look', { token: { ...none, infraRole: InfraRole.VIEWER }, roles: ['INFRA_ROLE_VIEWER'] }],
  ['no agent', { token: { ...none, infraRole: InfraRole.UNSPECIFIED }, roles: [] }],
  ...names(machineRoles).flatMap((role): [string, Case][] => [
    [
      `${role} of the machine`,
      { token: { ...none, machineRoles: { [machineA]: machineRoles[role] } }, roles: [`MACHINE_ROLE_${role}`] },
    ],
    [
      `${role} of all machines`,
      { token: { ...none, machineRoles: { '*': machineRoles[role] } }, roles: [`MACHINE_ROLE_${role}`] },
    ],
    [`${role} of another machine`, { token: { ...none, machineRoles: { [machineB]: machineRoles[role] } }, roles: [] }],
    [
      `${role} of all machines but this one`,
      {
        token: { ...none, machineRoles: { '*': machineRoles[role], [machineA]: MachineRole.UNSPECIFIED } },
        roles: [],
      },
    ],
  ]),
  ...names(projectRoles).flatMap((role): [string, Case][] => [
    [
      `${role} of the project`,
      { token: { ...none, projectRoles: { [project]: projectRoles[role] } }, roles: [`PROJECT_ROLE_${role}`] },
    ],
    [
      `${role} of all projects`,
      { token: { ...none, projectRoles: { '*': projectRoles[role] } }, roles: [`PROJECT_ROLE_${role}`] },
    ],
    [
      `${role} of another project`,
      { token: { ...none, projectRoles: { [otherProject]: projectRoles[role] } }, roles: [] },
    ],
    [
      `${role} of a project named like the tenant`,
      { token: { ...none, projectRoles: { acme: projectRoles[role] } }, roles: [] },
    ],
  ]),
  ...names(tenantRoles).flatMap((role): [string, Case][] => [
    [`${role} of the tenant`, { token: { ...none, tenantRoles: { acme: tenantRoles[role] } }, roles: inTenant(role) }],
    [`${role} of all tenants`, { token: { ...none, tenantRoles: { '*': tenantRoles[role] } }, roles: inTenant(role) }],
    [`${role} of another tenant`, { token: { ...none, tenantRoles: { globex: tenantRoles[role] } }, roles: [] }],
  ]),
]);
const people: Readonly<Record<string, Case>> = Object.fromEntries([
  ...['stranger', 'globex'].map((user): [string, Case] => [user, { token: person(user), roles: [] }]),
  ['acme', { token: person('acme'), roles: inTenant('OWNER') }],
  ...names(projectRoles).map((role): [string, Case] => [
    `project-${role}`,
    { token: person(`project-${role}`), roles: [`PROJECT_ROLE_${role}`] },
  ]),
  ...names(tenantRoles).map((role): [string, Case] => [
    `tenant-${role}`,
    { token: person(`tenant-${role}`), roles: inTenant(role) },
  ]),
]);

function person(user: string): Partial<apiV2.Token> {
  return { tokenType: TokenType.USER, user };
}

function names<Name extends string>(of: Readonly<Record<Name, unknown>>): Name[] {
  const isName = (name: string): name is Name => name in of;
  return Object.keys(of).filter(isName);
}

function optionsOf(method: Method): ProtoAccess {
  const found = access.get(methodPath(method));
  if (found === undefined) throw new Error(`${methodPath(method)} is in no proto file`);
  return found;
}

await using cleanup = new AsyncDisposableStack();
const place = cleanup.use(await sqlitePlace());
const stores = createStores(cleanup.use(await place.open()), systemClock);
await introduce(stores);
const authorizer = createAuthorizer(stores);
const kept = cleanup.move();
afterAll(() => kept.disposeAsync());

/** Two tenants with a project each, and members of every role in the first. */
async function introduce(into: Stores): Promise<void> {
  for (const [login, uuid] of [
    ['acme', project],
    ['globex', otherProject],
  ] as const) {
    await into.tenants.create(login, create(apiV2.TenantSchema, { login, name: login }));
    await into.projects.create(uuid, create(apiV2.ProjectSchema, { uuid, name: login, tenant: login }));
  }
  for (const role of names(projectRoles))
    await into.projectMembers.create(
      memberId(project, `project-${role}`),
      create(apiV2.ProjectMemberSchema, { id: `project-${role}`, role: projectRoles[role] }),
    );
  for (const role of names(tenantRoles))
    await into.tenantMembers.create(
      memberId('acme', `tenant-${role}`),
      create(apiV2.TenantMemberSchema, { id: `tenant-${role}`, role: tenantRoles[role] }),
    );
}

/** A request about `subjects`, whatever the method. */
function requestOf(method: Method): ReturnType<typeof create> {
  const request = create(method.input);
  if ('uuid' in request) Object.assign(request, { uuid: machineA });
  if ('project' in request) Object.assign(request, { project });
  if ('login' in request) Object.assign(request, { login: 'acme' });
  if ('events' in request)
    Object.assign(request, { events: { [machineA]: create(apiV2.MachineProvisioningEventSchema) } });
  return request;
}

async function verdict(method: Method, token: Partial<apiV2.Token> | undefined): Promise<string> {
  const caller: Caller =
    token === undefined
      ? { kind: 'anonymous' }
      : { kind: 'token', token: Object.assign(create(apiV2.TokenSchema), token) };
  try {
    await authorizer({ access: methodAccess(method), method, request: requestOf(method), caller });
    return 'allowed';
  } catch (error) {
    if (error instanceof ApiError) return error.codeName;
    throw error;
  }
}

test('the proto files and the generated code name the same methods', () => {
  expect([...access.keys()].toSorted()).toEqual(methods.map(methodPath).toSorted());
});

describe('every method and every role', () => {
  test.each(methods.map((method) => [methodPath(method), method] as const))('%s', async (_path, method) => {
    const { visibility, roles } = optionsOf(method);
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [name, one] of Object.entries({ ...listed, ...people })) {
      // What is about the caller itself comes with tokens of people.
      const isPerson = one.token.tokenType === TokenType.USER;
      const isOwn = visibility === 'self' && (isPerson || one.besides === 'own');
      const has = one.besides === 'all' || one.roles.some((role) => roles.has(role));
      const may = visibility === 'public' || isOwn || has;
      expected[name] = may ? 'allowed' : 'PermissionDenied';
      found[name] = await verdict(method, one.token);
    }
    expected['nobody'] = visibility === 'public' ? 'allowed' : 'Unauthenticated';
    found['nobody'] = await verdict(method, undefined);
    expect(found).toEqual(expected);
  });
});

describe('every method, listed in a token', () => {
  test.each(methods.map((method) => [methodPath(method), method] as const))('%s', async (path, method) => {
    const { visibility, roles } = optionsOf(method);
    const kinds = (['machine', 'project', 'tenant'] as const).filter((kind) =>
      [...roles].some((role) => role.startsWith(kind.toUpperCase())),
    );
    const isAboutNothing = kinds.length === 0 || [...roles].some((role) => role.startsWith('INFRA'));
    const may = (subject: string, listedPath = path): Promise<string> => {
      const permissions = [create(apiV2.MethodPermissionSchema, { subject, methods: [listedPath] })];
      return verdict(method, { ...none, permissions });
    };
    const say = (yes: boolean): string => (yes || visibility === 'public' ? 'allowed' : 'PermissionDenied');
    expect(await may('*')).toBe('allowed');
    expect(await may('')).toBe(say(isAboutNothing));
    for (const kind of ['machine', 'project', 'tenant'] as const) {
      expect(await may(subjects[kind])).toBe(say(kinds.includes(kind)));
      expect(await may(others[kind])).toBe(say(false));
    }
    expect(await may('*', `${path}s`)).toBe(say(false));
    expect(await may('*', path.slice(0, -1))).toBe(say(false));
  });
});

test('no method takes a token that was changed, made up, revoked or has expired', async () => {
  const clock = new MockClock({ nowMs: Date.now() });
  await using rig = await startRig({ clock });
  const adminRights = { adminRole: apiV2.AdminRole.EDITOR };
  const [good, revoked] = [await rig.mint(adminRights), await rig.mint(adminRights)];
  await createClient(adminV2.TokenService, rig.admin).revoke({ uuid: decodeJwt(revoked).jti ?? '', user: 'admin' });
  const [head = '', body = '', signature = ''] = good.split('.');
  const claims = { ...decodeJwt(good), jti: decodeJwt(await rig.mint(adminRights)).jti };
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const bad: Record<string, string> = {
    'another body': [head, encoded(claims), signature].join('.'),
    'another signature': [head, body, `${signature.slice(0, -4)}AAAA`].join('.'),
    'no signature': [encoded({ alg: 'none', typ: 'JWT' }), body, ''].join('.'),
    'no token': 'x',
    revoked,
  };
  const expired = await rig.mint(adminRights);
  const refused = async (name: string, token: string): Promise<void> => {
    const channel = rig.channel(token);
    const answers = await Promise.all(
      services
        .flatMap((service) => service.methods)
        .map(async (method) => {
          const call: unknown = Reflect.get(createClient(method.parent, channel), method.localName);
          if (typeof call !== 'function') throw new Error(`no client for ${methodPath(method)}`);
          const made: unknown = Reflect.apply(call, undefined, [{}]);
          const { codeName } = await failure(isStream(made) ? Array.fromAsync(made) : Promise.resolve(made));
          return [methodPath(method), codeName];
        }),
    );
    expect(Object.fromEntries([['which', name], ...answers])).toEqual(
      Object.fromEntries([['which', name], ...methods.map((method) => [methodPath(method), 'Unauthenticated'])]),
    );
  };
  for (const [name, token] of Object.entries(bad)) await refused(name, token);
  await clock.advance(3_700_000);
  await refused('expired', expired);
});

const isStream = (made: unknown): made is AsyncIterable<unknown> =>
  typeof made === 'object' && made !== null && Symbol.asyncIterator in made;
