import { readFile, rm, stat } from 'node:fs/promises';
import {
  adminV2,
  apiV2,
  Code,
  create,
  createClient,
  durationFromMs,
  infraV2,
  type Channel,
  type MessageInitShape,
} from '@ingot/api';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { failure, machineA, machineB, MockClock, startRig, type Rig } from './support.ts';

const { MachineRole, InfraRole } = apiV2;
type TokenUpdate = Exclude<
  MessageInitShape<typeof apiV2.TokenServiceUpdateRequestSchema>,
  apiV2.TokenServiceUpdateRequest
>;
const own = (channel: Channel) => createClient(apiV2.TokenService, channel);

async function infraChannel(rig: Rig): Promise<Channel> {
  return rig.channel(
    await rig.mint({
      infraRole: InfraRole.EDITOR,
      machineRoles: { '*': MachineRole.EDITOR },
      description: 'boot server',
    }),
  );
}

describe('a token', () => {
  test('is an ES512 JWT that holds no rights', async () => {
    await using rig = await startRig();
    const secret = await rig.mint({ machineRoles: { [machineA]: MachineRole.EDITOR } });
    expect(decodeProtectedHeader(secret)).toMatchObject({ alg: 'ES512' });
    const claims = decodeJwt(secret);
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'nbf', 'sub', 'type']);
    expect(claims).toMatchObject({ type: 'TOKEN_TYPE_API', sub: 'admin', aud: [claims.iss] });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(3600);
    expect(claims.jti).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  test('minted by a boot server is for its machine only', async () => {
    await using rig = await startRig();
    const { secret, token } = await own(await infraChannel(rig)).create({
      expires: durationFromMs(72 * 3_600_000),
      machineRoles: { [machineA]: MachineRole.EDITOR },
    });
    expect(token?.user).toBe('admin');
    const machine = createClient(infraV2.BootService, rig.channel(secret));
    expect((await machine.superUserPassword({ uuid: machineA })).featureDisabled).toBe(true);
    expect((await failure(machine.superUserPassword({ uuid: machineB }))).code).toBe(Code.PermissionDenied);
    expect((await failure(machine.boot({ mac: '52:54:00:00:00:01', partition: 'lab' }))).code).toBe(
      Code.PermissionDenied,
    );
    // Or a machine could prolong its own token for ever.
    expect((await failure(own(rig.channel(secret)).refresh({}))).code).toBe(Code.PermissionDenied);
  });

  test('may not do more than its creator', async () => {
    await using rig = await startRig();
    const creator = own(await infraChannel(rig));
    const error = await failure(
      creator.create({ expires: durationFromMs(600_000), adminRole: apiV2.AdminRole.VIEWER }),
    );
    expect(error.code).toBe(Code.PermissionDenied);
    expect(error.message).toContain('lacks: admin role');
    const short = await failure(creator.create({ expires: durationFromMs(599_000) }));
    expect(short.message).toBe('expires must be at least 600 s, not 599 s');
  });

  test('with listed methods may call them, and must name existing ones of the right kind', async () => {
    await using rig = await startRig();
    const refreshPath = '/metalstack.api.v2.TokenService/Refresh';
    const self = (...methods: string[]) => ({
      visibility: {
        case: 'self' as const,
        value: { $typeName: 'metalstack.api.v2.SelfPermissions' as const, methods },
      },
    });
    const permission = (...methods: string[]) => [
      { $typeName: 'metalstack.api.v2.PermissionsByVisibility' as const, ...self(...methods) },
    ];
    const secret = await rig.mint({ permissions: permission(refreshPath) });
    const renewed = await own(rig.channel(secret)).refresh({});
    expect(renewed.token?.permissions).toMatchObject([{ subject: '', methods: [refreshPath] }]);
    expect((await failure(rig.mint({ permissions: permission('/no.such/Method') }))).message).toContain(
      'is not served',
    );
    const wrongKind = permission('/metalstack.infra.v2.BootService/Wait');
    expect((await failure(rig.mint({ permissions: wrongKind }))).message).toContain('no method of visibility "self"');
  });

  test('is worth nothing once it is revoked', async () => {
    await using rig = await startRig();
    const channel = await infraChannel(rig);
    const tokens = own(channel);
    const { tokens: listed } = await tokens.list({ query: { description: 'boot server' } });
    const uuid = listed[0]?.uuid ?? '';
    expect((await tokens.get({ uuid })).token?.infraRole).toBe(InfraRole.EDITOR);
    await createClient(adminV2.TokenService, rig.admin).revoke({ uuid, user: 'admin' });
    const error = await failure(tokens.list({}));
    expect(error.code).toBe(Code.Unauthenticated);
    expect(error.message).toContain('was revoked or has expired');
  });

  test('of somebody else looks like none', async () => {
    await using rig = await startRig();
    const admin = createClient(adminV2.TokenService, rig.admin);
    const request = { $typeName: 'metalstack.api.v2.TokenServiceCreateRequest' as const };
    const made = await admin.create({
      user: 'someone',
      tokenCreateRequest: {
        ...request,
        description: '',
        permissions: [],
        projectRoles: {},
        tenantRoles: {},
        machineRoles: {},
        expires: durationFromMs(600_000),
      },
    });
    const other = own(await infraChannel(rig));
    const uuid = made.token?.uuid ?? '';
    expect((await failure(other.get({ uuid }))).code).toBe(Code.NotFound);
    expect((await failure(other.revoke({ uuid }))).code).toBe(Code.NotFound);
    expect((await other.list({})).tokens.every((token) => token.user === 'admin')).toBe(true);
    expect((await admin.list({ query: { user: 'someone' } })).tokens).toHaveLength(1);
  });

  test('of another server, or made up, is refused in words', async () => {
    await using rig = await startRig();
    await using stranger = await startRig();
    const foreign = (await readFile(stranger.plane.adminTokenFile, 'utf8')).trim();
    for (const bearer of [foreign, 'nonsense', `${foreign.slice(0, -4)}AAAA`]) {
      const error = await failure(createClient(adminV2.MachineService, rig.channel(bearer)).list({}));
      expect(error.code).toBe(Code.Unauthenticated);
      expect(error.message).toContain('no token of this server');
    }
  });

  test('ends when its time has come', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    const channel = await infraChannel(rig);
    await own(channel).list({});
    await clock.advance(3_601_000);
    expect((await failure(own(channel).list({}))).code).toBe(Code.Unauthenticated);
  });
});

describe('the admin token', () => {
  test('survives a restart, and is made anew when its file is gone', async () => {
    await using rig = await startRig();
    const file = rig.plane.adminTokenFile;
    const first = await readFile(file, 'utf8');
    await rig.restart();
    expect(await readFile(file, 'utf8')).toBe(first);
    await rm(file);
    await rig.restart();
    const second = await readFile(file, 'utf8');
    expect(second).not.toBe(first);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const machines = createClient(adminV2.MachineService, rig.channel(second.trim()));
    expect((await machines.list({})).machines).toEqual([]);
  });

  test('is nowhere in the log', async () => {
    await using rig = await startRig();
    const secret = (await readFile(rig.plane.adminTokenFile, 'utf8')).trim();
    expect(JSON.stringify(rig.log.records)).not.toContain(secret.split('.')[2]);
  });
});

test('a token is changed within its maker’s rights, and counts so from its next call on', async () => {
  await using rig = await startRig();
  const mine = own(rig.admin);
  const { token, secret } = await mine.create({
    description: 'of a test',
    adminRole: apiV2.AdminRole.VIEWER,
    expires: durationFromMs(3_600_000),
  });
  const uuid = token?.uuid ?? '';
  const machines = createClient(adminV2.MachineService, rig.channel(secret));
  const lock = { uuid: machineA, state: apiV2.MachineState.LOCKED, description: 'x' };
  expect((await failure(machines.setState(lock))).code).toBe(Code.PermissionDenied);
  const changed = await mine.update({ uuid, updateMeta: {}, adminRole: apiV2.AdminRole.EDITOR, description: 'more' });
  expect(changed.token).toMatchObject({ description: 'more', adminRole: apiV2.AdminRole.EDITOR });
  expect((await failure(machines.setState(lock))).code).toBe(Code.NotFound);
  const weak = createClient(apiV2.TokenService, rig.channel(await rig.mint({ infraRole: apiV2.InfraRole.EDITOR })));
  const elevated = weak.update({ uuid, updateMeta: {}, adminRole: apiV2.AdminRole.EDITOR });
  expect((await failure(elevated)).code).toBe(Code.PermissionDenied);
});

test('a token loses the rights that are named without anything, and no other', async () => {
  await using rig = await startRig();
  const mine = own(rig.admin);
  const refresh = '/metalstack.api.v2.TokenService/Refresh';
  const methods = (...list: string[]) => [
    create(apiV2.PermissionsByVisibilitySchema, { visibility: { case: 'self', value: { methods: list } } }),
  ];
  const project = 'cccccccc-0000-4000-8000-00000000000c';
  const { token, secret } = await mine.create({
    expires: durationFromMs(3_600_000),
    adminRole: apiV2.AdminRole.VIEWER,
    infraRole: InfraRole.EDITOR,
    machineRoles: { [machineA]: MachineRole.EDITOR, [machineB]: MachineRole.EDITOR },
    projectRoles: { [project]: apiV2.ProjectRole.OWNER },
    permissions: methods(refresh),
  });
  const uuid = token?.uuid ?? '';
  const update = async (change: TokenUpdate): Promise<apiV2.Token> => {
    const changed = await mine.update({ uuid, updateMeta: {}, ...change });
    if (changed.token === undefined) throw new Error('no token');
    return changed.token;
  };
  await own(rig.channel(secret)).refresh({});
  const narrower = await update({
    adminRole: apiV2.AdminRole.UNSPECIFIED,
    infraRole: InfraRole.UNSPECIFIED,
    permissions: methods(),
  });
  expect([narrower.adminRole, narrower.infraRole, narrower.permissions]).toEqual([undefined, undefined, []]);
  expect(Object.keys(narrower.machineRoles)).toEqual([machineA, machineB]);
  expect((await failure(own(rig.channel(secret)).refresh({}))).code).toBe(Code.PermissionDenied);
  const one = await update({ machineRoles: { [machineA]: MachineRole.EDITOR, [machineB]: MachineRole.UNSPECIFIED } });
  expect(one.machineRoles).toEqual({ [machineA]: MachineRole.EDITOR });
  const boot = createClient(infraV2.BootService, rig.channel(secret));
  expect((await failure(boot.superUserPassword({ uuid: machineB }))).code).toBe(Code.PermissionDenied);
  const none = await update({ machineRoles: { [machineA]: MachineRole.UNSPECIFIED } });
  expect([none.machineRoles, none.projectRoles]).toEqual([{}, { [project]: apiV2.ProjectRole.OWNER }]);
  // Beside a role for all it is an exception.
  const most = await update({ machineRoles: { '*': MachineRole.EDITOR, [machineB]: MachineRole.UNSPECIFIED } });
  expect(most.machineRoles).toEqual({ '*': MachineRole.EDITOR, [machineB]: MachineRole.UNSPECIFIED });
  expect((await failure(boot.superUserPassword({ uuid: machineB }))).code).toBe(Code.PermissionDenied);
  await boot.superUserPassword({ uuid: machineA });
});

test('a token is not changed over somebody else’s change', async () => {
  const clock = new MockClock({ nowMs: Date.now() });
  await using rig = await startRig({ clock });
  const mine = own(rig.admin);
  const { token } = await mine.create({ description: 'first', expires: durationFromMs(3_600_000) });
  const uuid = token?.uuid ?? '';
  const seen = token?.meta?.createdAt;
  if (seen === undefined) throw new Error('no time');
  clock.stepWallClock(1_000);
  const { token: second } = await mine.update({ uuid, updateMeta: { updatedAt: seen }, description: 'second' });
  const stale = await failure(mine.update({ uuid, updateMeta: { updatedAt: seen }, description: 'third' }));
  expect(stale.code).toBe(Code.Aborted);
  const read = second?.meta?.updatedAt;
  if (read === undefined) throw new Error('no time');
  expect((await mine.update({ uuid, updateMeta: { updatedAt: read }, description: 'third' })).token?.description).toBe(
    'third',
  );
});
