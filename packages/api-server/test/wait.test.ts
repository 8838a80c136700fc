import { apiV2, clone, Code, create, createClient, infraV2 } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { findOrCreateMachine } from '../src/machine/machine-records.ts';
import { failure, machineA, MockClock, startRig, until, type Rig } from './support.ts';

async function allocate(rig: Rig, uuid: string): Promise<void> {
  const { stores } = rig.plane;
  const machine = clone(apiV2.MachineSchema, (await findOrCreateMachine(stores, machineA, 'lab')).value);
  machine.allocation = create(apiV2.MachineAllocationSchema, { uuid, name: 'web' });
  await stores.machines.put(machineA, machine);
}

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
