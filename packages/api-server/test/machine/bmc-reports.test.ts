import { adminV2, apiV2, createClient, infraV2, type MessageInitShape } from '@ingot/api';
import { expect, test } from 'vitest';
import { findOrCreateMachine } from '../../src/machine/machine-records.ts';
import { machineA, machineB, startRig, type Rig } from '../support.ts';

const { MachineBMCCommand: Command, MachineProvisioningEventType: Event } = apiV2;

type ReportInit = Exclude<MessageInitShape<typeof apiV2.MachineBMCReportSchema>, apiV2.MachineBMCReport>;

/** Reports as a worker makes them, and what is known afterwards, as an administrator sees it. */
async function bmcsOf(rig: Rig) {
  await createClient(adminV2.PartitionService, rig.admin).create({ partition: { id: 'far' } });
  const worker = createClient(infraV2.BMCService, rig.admin);
  const machines = createClient(adminV2.MachineService, rig.admin);
  return {
    machines,
    report: (uuid: string, report: ReportInit, partition = 'lab') =>
      worker.updateBMCInfo({ partition, bmcReports: [{ uuid, ...report }] }),
    known: async (uuid: string) => (await machines.getBMC({ uuid })).bmcDetails?.bmcReport,
  };
}

const told = {
  bmc: {
    address: '10.9.0.1:1623',
    mac: '52:54:00:00:02:01',
    user: 'metal',
    password: 'secret',
    interface: 'lanplus',
    version: '1.0',
    powerState: 'ON',
  },
  bios: { version: '2.4', vendor: 'AMI', date: '12/27/2021' },
  fru: { productSerial: 'S1', boardMfg: 'Supermicro' },
};

test('a report of a machine that nobody knows makes one, of its partition and of no size', async () => {
  await using rig = await startRig();
  const { machines, report, known } = await bmcsOf(rig);
  expect(await report(machineA.toUpperCase(), told)).toMatchObject({
    createdMachines: [machineA],
    updatedMachines: [],
  });
  expect(await known(machineA)).toMatchObject(told);
  expect((await machines.get({ uuid: machineA })).machine).toMatchObject({
    partition: { id: 'lab' },
    size: { id: 'unknown' },
  });
});

test('a later report changes what it says, and keeps the rest', async () => {
  await using rig = await startRig();
  const { machines, report, known } = await bmcsOf(rig);
  await report(machineA, told);
  const later = {
    bmc: {
      ...told.bmc,
      address: '10.9.0.7:623',
      user: '',
      password: '',
      interface: '',
      version: '1.1',
      powerState: 'OFF',
    },
    bios: { version: '2.5', vendor: '', date: '' },
    fru: { productSerial: 'S2' },
    ledState: { value: 'LED-ON' },
    powerMetric: { averageConsumedWatts: 211.5 },
    powerSupplies: [{ health: 'OK', state: 'Enabled' }],
  };
  expect(await report(machineA, later)).toMatchObject({ createdMachines: [], updatedMachines: [machineA] });
  expect(await known(machineA)).toMatchObject({
    bmc: { ...told.bmc, address: '10.9.0.7:623', version: '1.1', powerState: 'OFF' },
    bios: { ...told.bios, version: '2.5' },
    fru: { productSerial: 'S2', boardMfg: 'Supermicro' },
    powerMetric: { averageConsumedWatts: 211.5 },
    powerSupplies: [{ health: 'OK', state: 'Enabled' }],
  });
  expect((await machines.get({ uuid: machineA })).machine?.status?.ledState?.value).toBe('LED-ON');
});

test('a machine of another partition is passed over, and one of none is adopted', async () => {
  await using rig = await startRig();
  const { machines, report, known } = await bmcsOf(rig);
  await report(machineA, told);
  const other = { bmc: { ...told.bmc, address: '10.66.0.1:623' } };
  expect(await report(machineA, other, 'far')).toMatchObject({ createdMachines: [], updatedMachines: [] });
  expect(await known(machineA)).toMatchObject(told);
  await findOrCreateMachine(rig.plane.stores, machineB);
  expect(await report(machineB, other, 'far')).toMatchObject({ createdMachines: [], updatedMachines: [machineB] });
  expect((await machines.get({ uuid: machineB })).machine?.partition?.id).toBe('far');
});

test('a command that takes the running system away is a planned reboot, so that the next boot is no crash', async () => {
  await using rig = await startRig();
  const { machines, report } = await bmcsOf(rig);
  await report(machineA, told);
  const { MACHINE_BMC_COMMAND_OFF: OFF, MACHINE_BMC_COMMAND_RESET: RESET, MACHINE_BMC_COMMAND_CYCLE: CYCLE } = Command;
  const { MACHINE_BMC_COMMAND_ON: ON, MACHINE_BMC_COMMAND_BOOT_FROM_PXE: PXE } = Command;
  for (const command of [OFF, ON, RESET, PXE, CYCLE, Command.MACHINE_BMC_COMMAND_IDENTIFY_LED_ON])
    await machines.bMCCommand({ uuid: machineA, command });
  const events = (await machines.get({ uuid: machineA })).machine?.recentProvisioningEvents?.events ?? [];
  expect(events.map(({ event, message }) => [event, message])).toEqual(
    ['cycle', 'reset', 'off'].map((word) => [Event.PLANNED_REBOOT, `power ${word} was ordered`]),
  );
});
