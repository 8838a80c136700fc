import { adminV2, apiV2, Code, createClient, infraV2, ingotAdminV1 } from '@ingot/api';
import { expect, test } from 'vitest';
import { findOrCreateMachine } from '../src/machine/machine-records.ts';
import { failure, machineA, machineB, startRig } from './support.ts';

test('an operator labels a machine, which keeps its other labels and the operator’s when it registers', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const { order } = await createClient(ingotAdminV1.WipeService, rig.admin).order({ uuid: machineA });
  const labels = createClient(ingotAdminV1.LabelService, rig.admin);
  const set = { 'ingot.dev/no-reboot': 'burn-in', row: '7' };
  const { labels: made } = await labels.update({ uuid: machineA.toUpperCase(), labels: { update: { labels: set } } });
  expect(made?.labels).toEqual({ ...set, 'ingot.dev/wipe': order });
  const unwired = createClient(infraV2.BootService, rig.admin).register({
    uuid: machineA,
    partition: 'lab',
    hardware: {},
    bios: {},
    tags: ['ingot.dev/no-reboot=false', 'row=1', 'tpm=2.0', 'gpu', 'note=a=b', '=x'],
  });
  // Stored all the same.
  expect((await failure(unwired)).message).toContain('cannot connect');
  const machines = createClient(adminV2.MachineService, rig.admin);
  expect((await machines.get({ uuid: machineA })).machine?.meta?.labels?.labels).toEqual({
    ...set,
    'ingot.dev/wipe': order,
    tpm: '2.0',
    gpu: 'true',
    note: 'a=b',
    '=x': 'true',
  });
  const { labels: less } = await labels.update({ uuid: machineA, labels: { remove: ['ingot.dev/no-reboot', 'none'] } });
  expect(less?.labels).toMatchObject({ row: '7', tpm: '2.0', 'ingot.dev/wipe': order });
  expect(less?.labels).not.toHaveProperty('ingot.dev/no-reboot');
});

test('a wipe order is neither given, answered nor taken away by a label', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const { order } = await createClient(ingotAdminV1.WipeService, rig.admin).order({ uuid: machineA });
  const labels = createClient(ingotAdminV1.LabelService, rig.admin);
  for (const patch of [
    { remove: ['ingot.dev/wipe'] },
    { update: { labels: { 'ingot.dev/wipe': 'x' } } },
    { update: { labels: { 'ingot.dev/wiped': order, row: '7' } } },
  ]) {
    const refused = await failure(labels.update({ uuid: machineA, labels: patch }));
    expect([refused.code, refused.message]).toEqual([
      Code.InvalidArgument,
      expect.stringMatching(/orders and their answers: ingot\.dev\/wiped?;/),
    ]);
  }
  const { value } = await rig.plane.stores.machines.need(machineA);
  expect(value.meta?.labels?.labels).toEqual({ 'ingot.dev/wipe': order });
});

test('labels that would be misread, of nobody or by somebody else are refused with a reason', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const labels = createClient(ingotAdminV1.LabelService, rig.admin);
  const noReboot = (value: string) => ({ update: { labels: { 'ingot.dev/no-reboot': value } } });
  const say = async (request: Parameters<typeof labels.update>[0]) => (await failure(labels.update(request))).message;
  expect(await say({ uuid: machineA, labels: noReboot('False') })).toContain('remove it to have the machine reboot');
  expect(await say({ uuid: machineA, labels: noReboot(' x') })).toContain('labels.update.labels');
  expect(await say({ uuid: machineA })).toContain('labels is missing');
  expect(await say({ uuid: machineB, labels: noReboot('x') })).toContain(`there is no machine ${machineB}`);
  for (const rights of [
    { adminRole: apiV2.AdminRole.VIEWER },
    { infraRole: apiV2.InfraRole.EDITOR, machineRoles: { '*': apiV2.MachineRole.EDITOR } },
  ]) {
    const others = createClient(ingotAdminV1.LabelService, rig.channel(await rig.mint(rights)));
    expect((await failure(others.update({ uuid: machineA, labels: noReboot('x') }))).code).toBe(Code.PermissionDenied);
  }
});
