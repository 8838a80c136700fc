import { adminV2, apiV2, Code, create, createClient, durationFromMs, infraV2, type Channel } from '@ingot/api';
import { expect, test } from 'vitest';
import { failure, machineA, startRig, until, type Rig } from '../support.ts';

const { TenantRole, InfraRole } = apiV2;
const PROVIDER = 'rackers';

/** Makes somebody a member of the provider's tenant; people are tenants, too. */
async function join(rig: Rig, user: string, role: apiV2.TenantRole): Promise<void> {
  const tenants = createClient(adminV2.TenantService, rig.admin);
  await tenants.create({ name: user });
  await tenants.addMember({ tenant: PROVIDER, member: user, role });
}

/** A token of that person, without any right of its own. */
async function personal(rig: Rig, user: string): Promise<string> {
  const tokenCreateRequest = create(apiV2.TokenServiceCreateRequestSchema, { expires: durationFromMs(3_600_000) });
  return (await createClient(adminV2.TokenService, rig.admin).create({ user, tokenCreateRequest })).secret;
}

/** What administration takes from this caller. */
async function powers(channel: Channel): Promise<'none' | 'look' | 'all'> {
  const machines = createClient(adminV2.MachineService, channel);
  const look = await machines.list({}).then(
    () => true,
    () => false,
  );
  const lock = { uuid: machineA, state: apiV2.MachineState.LOCKED, description: 'x' };
  const isAllowed = (await failure(machines.setState(lock))).code === Code.NotFound;
  return isAllowed ? 'all' : look ? 'look' : 'none';
}

test('of administration owners of the provider’s tenant may all, editors and viewers look, and guests nothing', async () => {
  await using rig = await startRig({ providerTenant: PROVIDER });
  for (const [role, expected] of [
    [TenantRole.OWNER, 'all'],
    [TenantRole.EDITOR, 'look'],
    [TenantRole.VIEWER, 'look'],
    [TenantRole.GUEST, 'none'],
  ] as const) {
    const user = `person-${role}`;
    const person = rig.channel(await personal(rig, user));
    expect([user, await powers(person)]).toEqual([user, 'none']);
    await join(rig, user, role);
    expect([user, await powers(person)]).toEqual([user, expected]);
  }
});

test('an administrator by membership is one as long as the membership lasts, renewed tokens and streams included', async () => {
  await using rig = await startRig({ providerTenant: PROVIDER });
  const tenants = createClient(adminV2.TenantService, rig.admin);
  for (const user of ['joe', 'jane']) await join(rig, user, TenantRole.OWNER);
  const jane = rig.channel(await personal(rig, 'jane'));
  const renewed = rig.channel((await createClient(apiV2.TokenService, jane).refresh({})).secret);
  expect([await powers(jane), await powers(renewed)]).toEqual(['all', 'all']);
  const stored = (await createClient(apiV2.TokenService, jane).list({})).tokens;
  expect(stored.map(({ adminRole }) => adminRole)).toEqual([undefined, undefined]);
  await createClient(infraV2.EventService, rig.admin).send({
    events: { [machineA]: { event: apiV2.MachineProvisioningEventType.PXE_BOOTING, message: '' } },
  });
  const waiting = failure(Array.fromAsync(createClient(infraV2.BootService, jane).wait({ uuid: machineA })));
  await until(() => rig.plane.waitingRoom.isWaiting(machineA));
  await tenants.removeMember({ tenant: PROVIDER, member: 'jane' });
  await rig.plane.stores.machines.edit(machineA, (machine) => {
    machine.allocation = create(apiV2.MachineAllocationSchema, { uuid: machineA, name: 'web' });
  });
  expect((await waiting).code).toBe(Code.PermissionDenied);
  expect([await failed(jane), await failed(renewed)]).toEqual([Code.PermissionDenied, Code.PermissionDenied]);
});

const failed = async (channel: Channel): Promise<Code> =>
  (await failure(createClient(adminV2.MachineService, channel).list({}))).code;

test('programs of such a person get nothing by it, and other servers have no such tenant', async () => {
  await using rig = await startRig({ providerTenant: PROVIDER });
  const tenants = createClient(adminV2.TenantService, rig.admin);
  expect((await tenants.list({})).tenants).toMatchObject([{ login: PROVIDER, createdBy: 'admin' }]);
  await join(rig, 'jane', TenantRole.OWNER);
  const jane = rig.channel(await personal(rig, 'jane'));
  const { secret } = await createClient(apiV2.TokenService, jane).create({ infraRole: InfraRole.VIEWER });
  expect(await failed(rig.channel(secret))).toBe(Code.PermissionDenied);
  await rig.restart();
  expect((await createClient(adminV2.TenantService, rig.admin).list({})).tenants).toHaveLength(2);
  await using other = await startRig();
  await createClient(adminV2.TenantService, other.admin).create({ name: PROVIDER });
  await join(other, 'jane', TenantRole.OWNER);
  expect(await powers(other.channel(await personal(other, 'jane')))).toBe('none');
});
