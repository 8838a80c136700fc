import { adminV2, apiV2, clone, Code, create, createClient, infraV2, ingotAdminV1 } from '@ingot/api';
import { expect, test } from 'vitest';
import { findOrCreateMachine } from '../src/machine/machine-records.ts';
import { WIPE_LABEL } from '../src/machine/wipe-label.ts';
import { refuseUnwiped } from '../src/machine/wipe-order.ts';
import {
  cableTo,
  failure,
  hardware,
  leaf,
  machineA,
  machineB,
  MockClock,
  startRig,
  until,
  type Rig,
} from './support.ts';

const registration = {
  uuid: machineA,
  partition: 'lab',
  hardware: hardware(cableTo('eth0', 'leaf1', 'Eth1/1'), cableTo('eth1', 'leaf2', 'Eth1/1')),
  bios: { version: '1' },
};

const labelsOf = async (rig: Rig): Promise<Record<string, string>> =>
  (await rig.plane.stores.machines.need(machineA)).value.meta?.labels?.labels ?? {};

async function allocate(rig: Rig): Promise<void> {
  const machine = clone(apiV2.MachineSchema, (await findOrCreateMachine(rig.plane.stores, machineA, 'lab')).value);
  refuseUnwiped(machine);
  machine.allocation = create(apiV2.MachineAllocationSchema, { uuid: machineB, name: 'web' });
  await rig.plane.stores.machines.put(machineA, machine);
}

test('an order stays open over a restart, until the machine answers it', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const { order } = await createClient(ingotAdminV1.WipeService, rig.admin).order({ uuid: machineA.toUpperCase() });
  await rig.restart();
  const wipes = createClient(ingotAdminV1.WipeService, rig.admin);
  const boot = createClient(infraV2.BootService, rig.admin);
  const switches = createClient(infraV2.SwitchService, rig.admin);
  for (const id of ['leaf1', 'leaf2']) await switches.register({ switch: leaf(id) });
  expect((await wipes.order({ uuid: machineA })).order).toBe(order);

  await boot.register({ ...registration, tags: ['rack=1', 'ingot.dev/wiped=another', 'ingot.dev/no-reboot'] });
  expect(await labelsOf(rig)).toEqual({ rack: '1', [WIPE_LABEL]: order });
  await boot.register({ ...registration, tags: ['rack=1', `ingot.dev/wiped=${order}`] });
  expect(await labelsOf(rig)).toEqual({ rack: '1' });
  const next = (await wipes.order({ uuid: machineA })).order;
  expect(next).not.toBe(order);
  await boot.register({ ...registration, tags: [`ingot.dev/wiped=${order}`] });
  expect((await labelsOf(rig))[WIPE_LABEL]).toBe(next);
  expect((await wipes.cancel({ uuid: machineA })).order).toBe(next);
  expect((await wipes.cancel({ uuid: machineA })).order).toBe('');
});

test('an order outlives the record of its machine', async () => {
  const clock = new MockClock({ nowMs: Date.now() });
  await using rig = await startRig({ clock });
  const machines = createClient(adminV2.MachineService, rig.admin);
  const events = createClient(infraV2.EventService, rig.admin);
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const { order } = await createClient(ingotAdminV1.WipeService, rig.admin).order({ uuid: machineA });
  await machines.delete({ uuid: machineA });
  expect((await failure(machines.get({ uuid: machineA }))).code).toBe(Code.NotFound);
  const alive = {
    [machineA]: create(apiV2.MachineProvisioningEventSchema, { event: apiV2.MachineProvisioningEventType.ALIVE }),
  };
  await events.send({ events: alive });
  expect(await labelsOf(rig)).toEqual({ [WIPE_LABEL]: order });
  // Once it is the record's again, it ends as it always does.
  await createClient(ingotAdminV1.WipeService, rig.admin).cancel({ uuid: machineA });
  await clock.advance(6 * 60_000);
  await machines.delete({ uuid: machineA });
  await events.send({ events: alive });
  expect(await labelsOf(rig)).toEqual({});
});

test('an allocated machine gets no order, and a machine with an order no allocation', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const wipes = createClient(ingotAdminV1.WipeService, rig.admin);
  await wipes.order({ uuid: machineA });
  await expect(allocate(rig)).rejects.toThrow('has the open wipe order');
  await wipes.cancel({ uuid: machineA });
  await allocate(rig);
  const refused = await failure(wipes.order({ uuid: machineA }));
  expect([refused.code, refused.message]).toEqual([Code.FailedPrecondition, expect.stringContaining('free it before')]);
  expect(await labelsOf(rig)).toEqual({});
  expect((await failure(wipes.order({ uuid: machineB }))).code).toBe(Code.NotFound);
});

test('a machine with an order does not wait: its stream ends at once, and no other begins', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const boot = createClient(infraV2.BootService, rig.admin);
  const stream = failure(Array.fromAsync(boot.wait({ uuid: machineA })));
  await until(() => rig.plane.waitingRoom.isWaiting(machineA));
  await createClient(ingotAdminV1.WipeService, rig.admin).order({ uuid: machineA });
  expect((await stream).code).toBe(Code.FailedPrecondition);
  expect((await failure(Array.fromAsync(boot.wait({ uuid: machineA })))).code).toBe(Code.FailedPrecondition);
  expect(rig.plane.waitingRoom.isWaiting(machineA)).toBe(false);
});

test('a machine reads itself with its token, and nobody else; it orders nothing', async () => {
  await using rig = await startRig();
  for (const id of [machineA, machineB]) await findOrCreateMachine(rig.plane.stores, id, 'lab');
  const token = await rig.mint({ machineRoles: { [machineA]: apiV2.MachineRole.EDITOR } });
  const machines = createClient(adminV2.MachineService, rig.channel(token));
  expect((await machines.get({ uuid: machineA })).machine?.uuid).toBe(machineA);
  expect((await failure(machines.get({ uuid: machineB }))).code).toBe(Code.PermissionDenied);
  const wipes = createClient(ingotAdminV1.WipeService, rig.channel(token));
  expect((await failure(wipes.order({ uuid: machineA }))).code).toBe(Code.PermissionDenied);
});
