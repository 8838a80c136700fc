import { adminV2, apiV2, createClient, durationFromMs, infraV2, type MessageInitShape } from '@ingot/api';
import { expect, test } from 'vitest';
import { cableTo, hardware, leaf, machineA, startRig } from './support.ts';

const { SONIC, CUMULUS } = {
  SONIC: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC,
  CUMULUS: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_CUMULUS,
};

/** More than are read at once. */
const names = Array.from({ length: 12 }, (_, n) => `leaf${String(n + 1).padStart(2, '0')}`);

test('switches are found by everything that a query can name, in the order of their IDs', async () => {
  await using rig = await startRig();
  const agent = createClient(infraV2.SwitchService, rig.admin);
  for (const [n, id] of names.entries())
    await agent.register({
      switch: leaf(id, (one) => {
        one.rack = n < 2 ? 'rack01' : 'rack02';
        one.room = n < 4 ? 'north' : 'south';
        if (one.os !== undefined && n === 11) one.os.vendor = CUMULUS;
        if (one.os !== undefined && n === 10) one.os.version = 'SONiC.202505';
      }),
    });
  await agent.heartbeat({
    id: 'leaf12',
    duration: durationFromMs(5),
    portStates: Object.fromEntries(leaf('leaf12').nics.map(({ name }) => [name, apiV2.SwitchPortStatus.UP] as const)),
  });
  await createClient(infraV2.BootService, rig.admin).register({
    uuid: machineA,
    partition: 'lab',
    bios: { version: '1', vendor: 'OVMF', date: '2026' },
    hardware: hardware(cableTo('eth0', 'leaf01', 'Eth1/1'), cableTo('eth1', 'leaf02', 'Eth1/1')),
  });
  const admin = createClient(adminV2.SwitchService, rig.admin);
  const found = async (query?: MessageInitShape<typeof apiV2.SwitchQuerySchema>): Promise<string[]> =>
    (await admin.list(query === undefined ? {} : { query })).switches.map(({ id }) => id);
  expect(await found()).toEqual(names);
  expect(await found({})).toEqual(names);
  const table: readonly (readonly [MessageInitShape<typeof apiV2.SwitchQuerySchema>, readonly string[]])[] = [
    [{ id: 'leaf07' }, ['leaf07']],
    [{ partition: 'lab' }, names],
    [{ partition: 'other' }, []],
    [{ rack: 'rack01' }, ['leaf01', 'leaf02']],
    [{ room: 'north' }, names.slice(0, 4)],
    [{ os: { vendor: CUMULUS } }, ['leaf12']],
    [{ os: { vendor: SONIC, version: 'SONiC.202505' } }, ['leaf11']],
    [{ connectedMachineId: machineA.toUpperCase() }, ['leaf01', 'leaf02']],
    [{ connectedMachineId: 'bbbbbbbb-0000-4000-8000-00000000000f' }, []],
    [{ id: 'leaf02', connectedMachineId: machineA }, ['leaf02']],
    [{ id: 'leaf03', connectedMachineId: machineA }, []],
    [{ rack: 'rack01', room: 'south' }, []],
  ];
  for (const [query, expected] of table) expect(await found(query), JSON.stringify(query)).toEqual(expected);
  const views = (await admin.list({})).switches;
  expect(views.map(({ lastSync }) => lastSync !== undefined)).toEqual(names.map((id) => id === 'leaf12'));
  expect(views[0]?.machineConnections).toMatchObject([{ machineId: machineA }]);
  const { switchesWithMachines } = await admin.connectedMachines({ query: { rack: 'rack01' } });
  expect(switchesWithMachines.map(({ id, connections }) => [id, connections.length])).toEqual([
    ['leaf01', 1],
    ['leaf02', 1],
  ]);
});
