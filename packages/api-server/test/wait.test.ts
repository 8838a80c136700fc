import {
  adminV2,
  apiV2,
  clone,
  Code,
  create,
  createClient,
  infraV2,
  type ApiError,
  type MessageInitShape,
} from '@ingot/api';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { findOrCreateMachine } from '../src/machine/machine-records.ts';
import { failure, machineA, machineB, MockClock, startRig, until, type Rig } from './support.ts';

async function allocate(rig: Rig, uuid: string): Promise<void> {
  const { stores } = rig.plane;
  const machine = clone(apiV2.MachineSchema, (await findOrCreateMachine(stores, machineA, 'lab')).value);
  machine.allocation = create(apiV2.MachineAllocationSchema, { uuid, name: 'web' });
  await stores.machines.put(machineA, machine);
}

type TokenUpdate = Exclude<
  MessageInitShape<typeof apiV2.TokenServiceUpdateRequestSchema>,
  apiV2.TokenServiceUpdateRequest
>;
const allocationId = 'cccccccc-0000-4000-8000-00000000000c';

describe('a Wait stream', () => {
  test('of an unknown machine is refused', async () => {
    await using rig = await startRig();
    const boot = createClient(infraV2.BootService, rig.admin);
    expect((await failure(Array.fromAsync(boot.wait({ uuid: machineA })))).code).toBe(Code.NotFound);
  });

  test('delivers an allocation that is there, and one that comes', async () => {
    await using rig = await startRig();
    await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
    const boot = createClient(infraV2.BootService, rig.admin);
    const early = boot.wait({ uuid: machineA })[Symbol.asyncIterator]();
    const first = early.next();
    await until(() => rig.plane.waitingRoom.isWaiting(machineA));
    await allocate(rig, allocationId);
    expect((await first).value?.allocation).toMatchObject({ uuid: allocationId, name: 'web' });
    await early.return?.();
    await until(() => !rig.plane.waitingRoom.isWaiting(machineA));
    for await (const message of boot.wait({ uuid: machineA })) {
      expect(message.allocation?.uuid).toBe(allocationId);
      break;
    }
  });

  test('gives way to a newer one of the same machine, which goes on waiting', async () => {
    await using rig = await startRig();
    await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
    const boot = createClient(infraV2.BootService, rig.admin);
    const old = failure(Array.fromAsync(boot.wait({ uuid: machineA })));
    await until(() => rig.plane.waitingRoom.isWaiting(machineA));
    const next = boot.wait({ uuid: machineA })[Symbol.asyncIterator]();
    const message = next.next();
    expect((await old).code).toBe(Code.Aborted);
    expect(rig.plane.waitingRoom.isWaiting(machineA)).toBe(true);
    await allocate(rig, allocationId);
    expect((await message).value?.allocation?.uuid).toBe(allocationId);
    await next.return?.();
  });

  test('ends with its token', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
    const secret = await rig.mint({ machineRoles: { [machineA]: apiV2.MachineRole.EDITOR } });
    const boot = createClient(infraV2.BootService, rig.channel(secret));
    const end = failure(Array.fromAsync(boot.wait({ uuid: machineA })));
    await until(() => rig.plane.waitingRoom.isWaiting(machineA));
    await clock.advance(3_600_001);
    expect((await end).code).toBe(Code.Unauthenticated);
    expect(rig.plane.waitingRoom.size).toBe(0);
  });
});

const order = (rig: Rig) =>
  createClient(adminV2.MachineService, rig.admin).bMCCommand({
    uuid: machineA,
    command: apiV2.MachineBMCCommand.MACHINE_BMC_COMMAND_ON,
  });
/** A worker's stream that has been given one command, and the token that it was opened with. */
async function workerOf(rig: Rig) {
  const { stores } = rig.plane;
  await findOrCreateMachine(stores, machineA, 'lab');
  const bmc = { address: '10.9.0.1:623', user: 'root', password: 'calvin' };
  await stores.bmcs.put(machineA, create(apiV2.MachineBMCReportSchema, { uuid: machineA, bmc }));
  const secret = await rig.mint({ infraRole: apiV2.InfraRole.EDITOR });
  await order(rig);
  const commands = createClient(infraV2.BMCService, rig.channel(secret)).waitForBMCCommand({ partition: 'lab' });
  const stream = commands[Symbol.asyncIterator]();
  expect((await stream.next()).value?.machineBmc?.password).toBe('calvin');
  return { stream, secret };
}

describe('a stream whose token was revoked', () => {
  const revoke = async (rig: Rig, secret: string): Promise<void> => {
    const { jti = '' } = decodeJwt(secret);
    await createClient(adminV2.TokenService, rig.admin).revoke({ uuid: jti, user: 'admin' });
  };
  test('is told of no allocation', async () => {
    await using rig = await startRig();
    await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
    const secret = await rig.mint({ machineRoles: { [machineA]: apiV2.MachineRole.EDITOR } });
    const boot = createClient(infraV2.BootService, rig.channel(secret));
    const told: unknown[] = [];
    const listen = async (): Promise<void> => {
      for await (const message of boot.wait({ uuid: machineA })) told.push(message);
    };
    const end = failure(listen());
    await until(() => rig.plane.waitingRoom.isWaiting(machineA));
    await revoke(rig, secret);
    await allocate(rig, allocationId);
    expect(await end).toMatchObject({ code: Code.Unauthenticated, message: expect.stringContaining('was revoked') });
    expect([told, rig.plane.waitingRoom.size]).toEqual([[], 0]);
  });

  test('gets no command and no password of a BMC', async () => {
    await using rig = await startRig();
    const { stream, secret } = await workerOf(rig);
    const next = failure(Promise.resolve(stream.next()));
    await revoke(rig, secret);
    await order(rig);
    expect((await next).code).toBe(Code.Unauthenticated);
  });

  test('ends by itself soon, as one does whose token has expired', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    const { stream } = await workerOf(rig);
    let ended: ApiError | undefined;
    void failure(Promise.resolve(stream.next())).then((error) => (ended = error));
    clock.stepWallClock(3_600_001);
    await until(async () => {
      await clock.advance(10_000);
      return ended !== undefined;
    });
    expect(ended?.code).toBe(Code.Unauthenticated);
  });
});

describe('a stream whose token may do less than when it was opened', () => {
  const narrow = (rig: Rig, secret: string, rights: Omit<TokenUpdate, 'uuid'>): Promise<unknown> =>
    createClient(apiV2.TokenService, rig.admin).update({
      uuid: decodeJwt(secret).jti ?? '',
      updateMeta: {},
      ...rights,
    });

  test('is told of no allocation', async () => {
    await using rig = await startRig();
    await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
    const secret = await rig.mint({ machineRoles: { [machineA]: apiV2.MachineRole.EDITOR } });
    const boot = createClient(infraV2.BootService, rig.channel(secret));
    const told: unknown[] = [];
    const listen = async (): Promise<void> => {
      for await (const message of boot.wait({ uuid: machineA })) told.push(message);
    };
    const end = failure(listen());
    await until(() => rig.plane.waitingRoom.isWaiting(machineA));
    await narrow(rig, secret, { machineRoles: { [machineB]: apiV2.MachineRole.EDITOR } });
    await allocate(rig, allocationId);
    expect(await end).toMatchObject({ code: Code.PermissionDenied, message: expect.stringContaining(machineA) });
    expect([told, rig.plane.waitingRoom.size]).toEqual([[], 0]);
  });

  test('gets no command and no password of a BMC', async () => {
    await using rig = await startRig();
    const { stream, secret } = await workerOf(rig);
    const next = failure(Promise.resolve(stream.next()));
    await narrow(rig, secret, { infraRole: apiV2.InfraRole.VIEWER });
    await order(rig);
    expect((await next).code).toBe(Code.PermissionDenied);
  });

  test('ends by itself soon', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    const { stream, secret } = await workerOf(rig);
    let ended: ApiError | undefined;
    void failure(Promise.resolve(stream.next())).then((error) => (ended = error));
    await narrow(rig, secret, { infraRole: apiV2.InfraRole.VIEWER });
    await until(async () => {
      await clock.advance(10_000);
      return ended !== undefined;
    });
    expect(ended?.code).toBe(Code.PermissionDenied);
  });
});

describe('installation', () => {
  test('cannot have succeeded on a machine that is not allocated', async () => {
    await using rig = await startRig();
    await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
    const boot = createClient(infraV2.BootService, rig.admin);
    const request = { uuid: machineA, consolePassword: 'secret' };
    expect((await failure(boot.installationSucceeded(request))).code).toBe(Code.FailedPrecondition);
    await allocate(rig, allocationId);
    await boot.installationSucceeded(request);
    expect(await rig.plane.stores.consolePasswords.get(machineA)).toBe('secret');
  });
});
