import { adminV2, apiV2, Code, create, createClient, infraV2, ingotAdminV1, timestampFromMs } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import {
  cableTo,
  failure,
  hardware,
  leaf,
  machineA,
  machineB,
  MockClock,
  port,
  startRig,
  until,
  type Rig,
} from './support.ts';

const { OptimisticLockingStrategy, SwitchPortStatus, SwitchReplaceMode, MachineState, MachineIssueType } = apiV2;
const { MachineProvisioningEventType: Event } = apiV2;
const SERVER = { lockingStrategy: OptimisticLockingStrategy.SERVER };

function clients(rig: Rig) {
  return {
    admin: createClient(adminV2.SwitchService, rig.admin),
    machines: createClient(adminV2.MachineService, rig.admin),
    partitions: createClient(adminV2.PartitionService, rig.admin),
    agents: createClient(infraV2.SwitchService, rig.admin),
    boot: createClient(infraV2.BootService, rig.admin),
    events: createClient(infraV2.EventService, rig.admin),
  };
}

/** Two leaves of a rack, and a machine on Ethernet0 of both. */
async function rack(rig: Rig) {
  const all = clients(rig);
  for (const id of ['leaf01', 'leaf02']) await all.agents.register({ switch: leaf(id) });
  await all.boot.register(registration(machineA, 'Eth1/1'));
  return all;
}

const registration = (uuid: string, at: string, bmc = '10.9.0.1:623') => ({
  uuid,
  partition: 'lab',
  bios: { version: '1', vendor: 'x', date: '1' },
  hardware: hardware(cableTo('eth0', 'leaf01', at), cableTo('eth1', 'leaf02', at)),
  bmc: {
    address: bmc,
    mac: '52:54:00:00:00:09',
    user: 'u1',
    password: 'p1',
    interface: 'lanplus',
    version: '2',
    powerState: 'ON',
  },
});

const toCumulus = (one: apiV2.Switch): void => {
  if (one.os !== undefined) one.os.vendor = apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_CUMULUS;
  for (const [index, nic] of one.nics.entries()) {
    nic.name = `swp${index + 1}`;
    nic.identifier = `swp${index + 1}`;
  }
};

describe('a switch is migrated', () => {
  test('to one with other port names, with its machines, their VRFs and their neighbours', async () => {
    await using rig = await startRig();
    const { admin, agents, machines, boot } = await rack(rig);
    await rig.plane.stores.ports.setVrf('leaf01', 'Ethernet0', 'vrf7');
    await agents.register({ switch: leaf('leaf09', toCumulus) });
    const { switch: moved } = await admin.migrate({ oldSwitch: 'leaf01', newSwitch: 'leaf09' });
    expect(moved?.machineConnections.map(({ machineId, nic }) => [machineId, nic?.name])).toEqual([[machineA, 'swp1']]);
    expect(moved?.nics.find(({ name }) => name === 'swp1')?.vrf).toBe('vrf7');
    const neighbours = (await machines.get({ uuid: machineA })).machine?.hardware?.nics.flatMap((nic) => nic.neighbors);
    expect(neighbours?.map(({ hostname, identifier }) => [hostname, identifier])).toEqual([
      ['leaf09', 'swp1'],
      ['leaf02', 'Eth1/1'],
    ]);
    await admin.delete({ id: 'leaf01' });
    // What the machine sees from now on is what is stored.
    await boot.register({
      ...registration(machineA, 'Eth1/1'),
      hardware: hardware(cableTo('eth0', 'leaf09', 'swp1'), cableTo('eth1', 'leaf02', 'Eth1/1')),
    });
  });

  test('from Cumulus to SONiC, lane by lane where ports are broken out', async () => {
    await using rig = await startRig();
    const { admin, agents, machines, boot } = clients(rig);
    const ports = (...names: readonly (readonly [string, string])[]) => names.map(([name, at]) => port(name, at));
    const cumulus = (one: apiV2.Switch): void => {
      toCumulus(one);
      one.nics = ports(['swp1s0', 'swp1s0'], ['swp1s1', 'swp1s1'], ['swp2', 'swp2']);
    };
    for (const id of ['leaf01', 'leaf02']) await agents.register({ switch: leaf(id, cumulus) });
    const seen = (one: string, other: string, at: string, otherAt = at) =>
      hardware(cableTo('eth0', one, at), cableTo('eth1', other, otherAt));
    for (const [uuid, at, bmc] of [
      [machineA, 'swp1s1', '10.9.0.1:623'],
      [machineB, 'swp2', '10.9.0.2:623'],
    ] as const)
      await boot.register({ ...registration(uuid, at, bmc), hardware: seen('leaf01', 'leaf02', at) });
    const sonic = (one: apiV2.Switch): void => {
      one.nics = ports(['Ethernet0', 'Eth1/1/1'], ['Ethernet1', 'Eth1/1/2'], ['Ethernet4', 'Eth1/2']);
    };
    await agents.register({ switch: leaf('leaf03', sonic) });
    const { switch: moved } = await admin.migrate({ oldSwitch: 'leaf01', newSwitch: 'leaf03' });
    expect(moved?.machineConnections.map(({ machineId, nic }) => [machineId, nic?.name, nic?.identifier])).toEqual([
      [machineA, 'Ethernet1', 'Eth1/1/2'],
      [machineB, 'Ethernet4', 'Eth1/2'],
    ]);
    expect((await admin.get({ id: 'leaf01' })).switch?.machineConnections).toEqual([]);
    const neighbours = (await machines.get({ uuid: machineA })).machine?.hardware?.nics.flatMap((nic) => nic.neighbors);
    expect(neighbours?.map(({ hostname, identifier }) => [hostname, identifier])).toEqual([
      ['leaf03', 'Eth1/1/2'],
      ['leaf02', 'swp1s1'],
    ]);
    // The rack has one leaf of each system until the other one is migrated, too.
    await boot.register({
      ...registration(machineA, 'x'),
      hardware: seen('leaf03', 'leaf02', 'Eth1/1/2', 'swp1s1'),
    });
  });

  test('not at all if a port is missing, a machine is there, or the rack is another one', async () => {
    await using rig = await startRig();
    const { admin, agents } = await rack(rig);
    await agents.register({
      switch: leaf('small', (one) => {
        one.nics = one.nics.slice(1);
      }),
    });
    await agents.register({
      switch: leaf('far', (one) => {
        one.rack = 'elsewhere';
      }),
    });
    const migrate = (newSwitch: string) => failure(admin.migrate({ oldSwitch: 'leaf01', newSwitch }));
    expect((await migrate('small')).message).toContain('has no port for Ethernet0 of leaf01');
    expect((await migrate('far')).message).toContain('their two switches in one rack');
    expect((await migrate('leaf02')).message).toContain('has 1 machines of its own');
    expect((await migrate('leaf01')).message).toContain('to itself');
    expect((await admin.get({ id: 'leaf01' })).switch?.machineConnections).toHaveLength(1);
  });
});

test('a switch that is replaced takes over from its twin, whatever system it runs', async () => {
  await using rig = await startRig();
  const { admin, agents, machines } = await rack(rig);
  await rig.plane.stores.ports.setVrf('leaf02', 'Ethernet0', 'vrf7');
  await admin.update({ id: 'leaf01', updateMeta: SERVER, replaceMode: SwitchReplaceMode.REPLACE });
  const { switch: fresh } = await agents.register({ switch: leaf('leaf01', toCumulus) });
  expect(fresh?.replaceMode).toBe(SwitchReplaceMode.OPERATIONAL);
  expect(fresh?.machineConnections.map(({ nic }) => nic?.name)).toEqual(['swp1']);
  expect(fresh?.nics.find(({ name }) => name === 'swp1')?.vrf).toBe('vrf7');
  const neighbours = (await machines.get({ uuid: machineA })).machine?.hardware?.nics.flatMap((nic) => nic.neighbors);
  expect(neighbours?.map(({ identifier }) => identifier)).toEqual(['swp1', 'Eth1/1']);
});

test('a switch that is replaced may run another system where its rack has no machine yet', async () => {
  await using rig = await startRig();
  const { admin, agents } = clients(rig);
  for (const id of ['leaf01', 'leaf02']) await agents.register({ switch: leaf(id) });
  expect((await failure(agents.register({ switch: leaf('leaf01', toCumulus) }))).message).toContain('to be replaced');
  await admin.update({ id: 'leaf01', updateMeta: SERVER, replaceMode: SwitchReplaceMode.REPLACE });
  const { switch: fresh } = await agents.register({ switch: leaf('leaf01', toCumulus) });
  expect(fresh?.nics.map(({ name }) => name)).toEqual(['swp1', 'swp2', 'swp3', 'swp4']);
});

test('what a switch says of itself is not an operator’s to change', async () => {
  await using rig = await startRig();
  const { admin, agents } = clients(rig);
  await agents.register({ switch: leaf('leaf01') });
  const { nics, os } = leaf('leaf01');
  for (const change of [{ nics }, os === undefined ? {} : { os }])
    expect((await failure(admin.update({ id: 'leaf01', updateMeta: SERVER, ...change }))).code).toBe(
      Code.InvalidArgument,
    );
});

test('ports are wanted up or down by an operator, and switches with machines are deleted by force only', async () => {
  await using rig = await startRig();
  const { admin } = await rack(rig);
  const { switch: changed } = await admin.port({ id: 'leaf01', nicName: 'Ethernet4', status: SwitchPortStatus.DOWN });
  expect(changed?.nics.find(({ name }) => name === 'Ethernet4')?.state?.desired).toBe(SwitchPortStatus.DOWN);
  expect((await failure(admin.port({ id: 'leaf01', nicName: 'Eth9', status: SwitchPortStatus.UP }))).message).toContain(
    'it has Ethernet0',
  );
  expect(
    (await failure(admin.port({ id: 'leaf01', nicName: 'Ethernet4', status: SwitchPortStatus.UNKNOWN }))).code,
  ).toBe(Code.InvalidArgument);
  const { switchesWithMachines } = await admin.connectedMachines({ query: { id: 'leaf01' } });
  expect(switchesWithMachines[0]?.connections.map(({ machine, nic }) => [machine?.uuid, nic?.name])).toEqual([
    [machineA, 'Ethernet0'],
  ]);
  expect((await failure(admin.delete({ id: 'leaf01' }))).message).toContain('ingot switch migrate');
  await admin.delete({ id: 'leaf01', force: true });
});

describe('a machine', () => {
  test('that has left is taken out of the records, its ports with it; one that speaks is not', async () => {
    await using rig = await startRig();
    const { machines, admin, events, boot } = await rack(rig);
    await events.send({ events: { [machineA]: { event: Event.PREPARING, message: '' } } });
    expect((await failure(machines.delete({ uuid: machineA }))).message).toContain('still speaks');
    await rig.plane.stores.events.delete(machineA);
    const has = async (allocation?: apiV2.MachineAllocation): Promise<void> =>
      void (await rig.plane.stores.machines.edit(machineA, (machine) => {
        if (allocation === undefined) delete machine.allocation;
        else machine.allocation = allocation;
      }));
    await has(create(apiV2.MachineAllocationSchema, { name: 'web', project: 'p1' }));
    expect((await failure(machines.delete({ uuid: machineA }))).message).toContain('allocated as "web" by project p1');
    await has();
    await machines.delete({ uuid: machineA });
    for (const id of ['leaf01', 'leaf02']) expect((await admin.get({ id })).switch?.machineConnections).toEqual([]);
    await boot.register(registration(machineB, 'Eth1/1'));
    expect((await failure(machines.delete({ uuid: machineA }))).code).toBe(Code.NotFound);
  });

  test('is taken out once it was silent for five minutes', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    const { machines, events } = await rack(rig);
    await events.send({ events: { [machineA]: { event: Event.PREPARING, message: '' } } });
    await clock.advance(5 * 60_000);
    expect((await failure(machines.delete({ uuid: machineA }))).message).toContain('still speaks');
    await clock.advance(1);
    await machines.delete({ uuid: machineA });
    expect((await machines.list({})).machines).toEqual([]);
  });

  test('tells its inventory anew with each registration, and keeps its other labels', async () => {
    await using rig = await startRig();
    const { machines, boot } = await rack(rig);
    const labels = async (): Promise<Record<string, string> | undefined> =>
      (await machines.get({ uuid: machineA })).machine?.meta?.labels?.labels;
    const again = (...tags: string[]) => boot.register({ ...registration(machineA, 'Eth1/1'), tags });
    await rig.plane.stores.machines.edit(machineA, (machine) => {
      machine.meta = create(apiV2.MetaSchema, { labels: { labels: { row: '7', 'ingot.dev/no-reboot': 'x' } } });
    });
    await again('row=8', 'ingot.inventory.disk/sda=A', 'ingot.inventory.boot=uefi');
    const kept = { row: '7', 'ingot.dev/no-reboot': 'x' };
    expect(await labels()).toEqual({ ...kept, 'ingot.inventory.disk/sda': 'A', 'ingot.inventory.boot': 'uefi' });
    await again('ingot.inventory.disk/sda=B');
    expect(await labels()).toEqual({ ...kept, 'ingot.inventory.disk/sda': 'B' });
    await again();
    expect(await labels()).toEqual({ ...kept, 'ingot.inventory.disk/sda': 'B' });
  });

  test('is locked with a reason and by somebody', async () => {
    await using rig = await startRig();
    const { machines } = await rack(rig);
    const lock = { uuid: machineA, state: MachineState.LOCKED };
    expect((await failure(machines.setState(lock))).message).toContain('say in description why');
    const { machine } = await machines.setState({ ...lock, description: 'broken fan' });
    expect(machine?.status?.condition).toMatchObject({
      state: MachineState.LOCKED,
      description: 'broken fan',
      issuer: 'admin',
    });
    const { machine: back } = await machines.setState({ uuid: machineA, state: MachineState.AVAILABLE });
    expect(back?.status?.condition?.issuer).toBe('');
  });

  test('has issues that say what to do, until they are gone', async () => {
    await using rig = await startRig();
    const { machines, boot, events } = await rack(rig);
    await boot.register(registration(machineB, 'Eth1/2'));
    const types = async (
      query: Parameters<typeof machines.issues>[0] = {},
    ): Promise<Record<string, apiV2.MachineIssueType[]>> =>
      Object.fromEntries(
        (await machines.issues(query)).issues.map(({ uuid, issues }) => [uuid, issues.map(({ type }) => type)]),
      );
    const { LIVELINESS_NOT_AVAILABLE, NO_EVENT_CONTAINER, BMC_NON_DISTINCT_IP, CRASH_LOOP, LAST_EVENT_ERROR } =
      MachineIssueType;
    expect((await types())[machineB]).toEqual([NO_EVENT_CONTAINER, LIVELINESS_NOT_AVAILABLE, BMC_NON_DISTINCT_IP]);
    await boot.register(registration(machineB, 'Eth1/2', '10.9.0.2:623'));
    for (const event of [Event.PREPARING, Event.CRASHED])
      await events.send({ events: { [machineB]: { event, message: 'out of memory' } } });
    expect((await types())[machineB]).toEqual([CRASH_LOOP, LAST_EVENT_ERROR]);
    expect((await types({ query: { omit: [CRASH_LOOP] } }))[machineB]).toEqual([LAST_EVENT_ERROR]);
    expect((await types({ query: { severity: apiV2.MachineIssueSeverity.MAJOR } }))[machineB]).toEqual([CRASH_LOOP]);
    const { issues } = await machines.issues({ query: { only: [LAST_EVENT_ERROR], machineQuery: { uuid: machineB } } });
    expect(issues[0]?.issues[0]?.details).toMatch(/Crashed: out of memory$/);
    await events.send({ events: { [machineB]: { event: Event.PLANNED_REBOOT, message: '' } } });
    expect((await types({ query: { omit: [LAST_EVENT_ERROR] } }))[machineB]).toBeUndefined();
    const report = create(apiV2.MachineBMCReportSchema, {
      uuid: machineA,
      updatedAt: timestampFromMs(Date.now() - 3_600_000),
    });
    await rig.plane.stores.bmcs.put(machineA, report);
    expect((await types())[machineA]).toContain(MachineIssueType.BMC_INFO_OUTDATED);
  });
});

test('the capacity of a partition counts each machine once, and keeps what is reserved', async () => {
  await using rig = await startRig();
  const { partitions, boot, events } = await rack(rig);
  const sizes = createClient(adminV2.SizeService, rig.admin);
  const { SizeConstraintType: Type } = apiV2;
  await sizes.create({
    size: {
      id: 'c1',
      constraints: [Type.CORES, Type.MEMORY, Type.STORAGE].map((type) => ({ type, min: 0n, max: 2n ** 60n })),
    },
  });
  await boot.register(registration(machineA, 'Eth1/1'));
  await boot.register(registration(machineB, 'Eth1/2', '10.9.0.2:623'));
  for (const uuid of [machineA, machineB])
    await events.send({ events: { [uuid]: { event: Event.WAITING, message: '' } } });
  const stream = new AbortController();
  const waiting = (async () => {
    try {
      for await (const answer of boot.wait({ uuid: machineA }, { signal: stream.signal })) expect(answer).toBeDefined();
    } catch {
      // Ended below.
    }
  })();
  await until(() => rig.plane.stores.waiting.isWaiting(machineA));
  const project = 'cccccccc-0000-4000-8000-00000000000c';
  await rig.plane.stores.sizeReservations.create(
    'r1',
    create(apiV2.SizeReservationSchema, { id: 'r1', name: 'r1', project, size: 'c1', partitions: ['lab'], amount: 1 }),
  );
  const capacity = async (asking?: string) =>
    (await partitions.capacity({ id: 'lab', size: 'c1', ...(asking === undefined ? {} : { project: asking }) }))
      .partitionCapacity[0]?.machineSizeCapacities[0];
  expect(await capacity()).toMatchObject({
    total: 2n,
    waiting: 2n,
    allocatable: 1n,
    unavailable: 1n,
    allocated: 0n,
    faulty: 0n,
    reservations: 1n,
    remainingReservations: 1n,
    free: 0n,
  });
  expect((await capacity(project))?.free).toBe(1n);
  stream.abort();
  await waiting;
});

test('commands for management controllers are tasks until they are done', async () => {
  await using rig = await startRig();
  const { machines } = await rack(rig);
  const tasks = createClient(adminV2.TaskService, rig.admin);
  const bmc = createClient(infraV2.BMCService, rig.admin);
  const { MACHINE_BMC_COMMAND_CYCLE: CYCLE, MACHINE_BMC_COMMAND_ON: ON } = apiV2.MachineBMCCommand;
  expect((await tasks.queues({})).queues).toEqual(['bmc', 'periodic', 'machine']);
  await machines.bMCCommand({ uuid: machineA, command: CYCLE });
  const [pending] = (await tasks.list({ queue: 'bmc' })).tasks;
  expect(pending).toMatchObject({ queue: 'bmc', type: 'machine:bmc-command', state: adminV2.TaskState.PENDING });
  expect(JSON.parse(new TextDecoder().decode(pending?.payload))).toEqual({ machine: machineA, command: 'cycle' });
  const taskId = pending?.id ?? '';
  await bmc.bMCCommandDone({ commandId: taskId, error: 'no answer' });
  const { task } = await tasks.get({ taskId, queue: 'bmc' });
  expect(task).toMatchObject({ state: adminV2.TaskState.ARCHIVED, lastError: 'no answer' });
  expect((await failure(tasks.delete({ taskId, queue: 'bmc' }))).message).toContain('nothing to take back');
  await machines.bMCCommand({ uuid: machineA, command: ON });
  const open = (await tasks.list({ queue: 'bmc', count: 1 })).tasks[0]?.id ?? '';
  await tasks.delete({ taskId: open, queue: 'bmc' });
  expect((await failure(bmc.bMCCommandDone({ commandId: open }))).code).toBe(Code.NotFound);
  expect((await failure(tasks.get({ taskId, queue: 'other' }))).code).toBe(Code.NotFound);

  // What the servers do by themselves, and the disks that are to be erased, page after page with the commands.
  const { order } = await createClient(ingotAdminV1.WipeService, rig.admin).order({ uuid: machineA });
  const all = (await tasks.list({})).tasks;
  expect(all.map(({ queue }) => queue)).toEqual(['bmc', 'bmc', 'periodic', 'periodic', 'machine']);
  expect(all.map(({ type }) => type).slice(2)).toEqual(['settle-bmc-commands', 'sweep', 'machine:wipe']);
  const pages = await Promise.all([0, 1, 2].map(async (page) => (await tasks.list({ count: 2, page })).tasks));
  expect(pages.flat().map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  expect((await failure(tasks.delete({ taskId: order, queue: 'machine' }))).message).toContain('erased when it boots');
  const sweep = all[3]?.id ?? '';
  expect((await failure(tasks.delete({ taskId: sweep, queue: 'periodic' }))).message).toContain('again and again');
});
