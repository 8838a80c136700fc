import { adminV2, apiV2, Code, createClient, infraV2, timestampFromMs, type MessageInitShape } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { MACHINE_LABEL } from '../../src/network/machine-label.ts';
import { failure, startRig, until } from '../support.ts';
import { hall, machineId, SERVER } from './hall.ts';

const { IPType, MachineAllocationType: Role, MachineState } = apiV2;

describe('a machine that is allocated', () => {
  test('gets an address, an AS number, the image, the layout and the name servers of its partition', async () => {
    await using rig = await startRig();
    const { machines, wish, a } = await hall(rig, 1);
    const { machine } = await machines.create(wish({ hostname: 'web01', labels: { labels: { tier: 'web' } } }));
    expect(machine?.uuid).toBe(machineId(0));
    expect(machine?.allocation).toMatchObject({
      name: 'web',
      project: a,
      hostname: 'web01',
      image: { id: 'debian-12.0.20260101' },
      filesystemLayout: { id: 'tmp' },
      dnsServers: [{ ip: '10.0.0.1' }],
      ntpServers: [{ address: 'ntp.lab' }],
      networks: [{ network: 'net-a', ips: ['10.0.0.1'], prefixes: ['10.0.0.0/24'], asn: 4_210_000_001, vrf: 1n }],
    });
    expect(machine?.meta?.labels?.labels).toEqual({
      tier: 'web',
      row: '7',
      'ingot.inventory.boot': 'uefi',
      'machine.metal-stack.io/rack': 'rack0',
      'machine.metal-stack.io/chassis': 'chassis0',
      'machine.metal-stack.io/network.primary.asn': '4210000001',
    });
    expect((await machines.list({ project: a })).machines).toHaveLength(1);
    const second = await failure(machines.create(wish()));
    expect(second).toMatchObject({
      code: Code.ResourceExhausted,
      message: 'no machine of size "c1" is left in partition "lab": 0 free, 1 allocated',
    });
  });

  test('has the name and time servers that its project names, each kind by itself', async () => {
    await using rig = await startRig();
    const { machines, boot, wish } = await hall(rig, 2);
    const dns = await machines.create(wish({ dnsServers: [{ ip: '192.0.2.53' }, { ip: '2001:db8::53' }] }));
    expect(dns.machine?.allocation).toMatchObject({
      dnsServers: [{ ip: '192.0.2.53' }, { ip: '2001:db8::53' }],
      ntpServers: [{ address: 'ntp.lab' }],
    });
    const ntp = await machines.create(
      wish({ ntpServers: [{ address: 'time.example.net' }, { address: '192.0.2.123' }] }),
    );
    const handed = [];
    for await (const { allocation } of boot.wait({ uuid: ntp.machine?.uuid ?? '' })) {
      handed.push(
        allocation?.dnsServers.map(({ ip }) => ip),
        allocation?.ntpServers.map(({ address }) => address),
      );
      break;
    }
    expect(handed).toEqual([['10.0.0.1'], ['time.example.net', '192.0.2.123']]);
    // Who has them keeps them, whatever becomes of the partition's.
    await rig.plane.stores.partitions.edit('lab', (partition) => void (partition.dnsServers = []));
    const { machine } = await machines.get({ uuid: ntp.machine?.uuid ?? '', project: wish().project });
    expect(machine?.allocation?.dnsServers).toMatchObject([{ ip: '10.0.0.1' }]);
  });

  test.each<[string, MessageInitShape<typeof apiV2.MachineServiceCreateRequestSchema>]>([
    ['four name servers', { dnsServers: [1, 2, 3, 4].map((last) => ({ ip: `192.0.2.${last}` })) }],
    ['a name server by name', { dnsServers: [{ ip: 'dns.example.net' }] }],
    ['eleven time servers', { ntpServers: Array.from({ length: 11 }, (_, last) => ({ address: `192.0.2.${last}` })) }],
    ['a time server that is neither address nor name', { ntpServers: [{ address: 'not a host' }] }],
  ])('has not %s', async (_name, change) => {
    await using rig = await startRig();
    const { machines, wish } = await hall(rig, 0);
    expect((await failure(machines.create(wish(change)))).code).toBe(Code.InvalidArgument);
  });

  test('is told in its Wait stream', async () => {
    await using rig = await startRig();
    const { machines, boot, wish } = await hall(rig, 1);
    const stream = boot.wait({ uuid: machineId(0) }, { signal: AbortSignal.timeout(10_000) });
    const told = (async () => {
      for await (const { allocation } of stream) return allocation?.name;
      return undefined;
    })();
    await until(() => rig.plane.waitingRoom.isWaiting(machineId(0)));
    await machines.create(wish());
    expect(await told).toBe('web');
  });

  test('is freed with its addresses, but not before it is unlocked, and has to be wiped', async () => {
    await using rig = await startRig();
    const { machines, ips, wish, a } = await hall(rig, 1);
    const { ip } = await ips.create({ project: a, network: 'internet', type: IPType.IP_TYPE_STATIC });
    const address = ip?.ip ?? '';
    await machines.create(
      wish({
        labels: { labels: { tier: 'web' } },
        networks: [{ network: 'net-a' }, { network: 'internet', ips: [address] }],
      }),
    );
    expect((await ips.list({ project: a })).ips.map((one) => one.meta?.labels?.labels[MACHINE_LABEL])).toEqual([
      machineId(0),
      machineId(0),
    ]);
    await rig.plane.stores.machines.edit(machineId(0), (value) => {
      if (value.status?.condition !== undefined) value.status.condition.state = MachineState.LOCKED;
    });
    expect((await failure(machines.delete({ uuid: machineId(0), project: a }))).message).toContain('unlock it first');
    await rig.plane.stores.machines.edit(machineId(0), (value) => {
      if (value.status?.condition !== undefined) value.status.condition.state = MachineState.AVAILABLE;
    });
    const { machine } = await machines.delete({ uuid: machineId(0), project: a });
    const restart = await rig.plane.stores.bmcCommands.get(machine?.meta?.deletionTaskId ?? '');
    expect(restart?.command).toBe(apiV2.MachineBMCCommand.MACHINE_BMC_COMMAND_MACHINE_DELETED);
    expect(machine?.allocation).toBeUndefined();
    expect(machine?.recentProvisioningEvents?.events[0]).toMatchObject({
      event: apiV2.MachineProvisioningEventType.MACHINE_RECLAIM,
    });
    expect(Object.keys(machine?.meta?.labels?.labels ?? {}).toSorted()).toEqual([
      'ingot.dev/wipe',
      'ingot.inventory.boot',
      'row',
    ]);
    const left = (await ips.list({ project: a })).ips;
    expect(left.map((one) => [one.ip, one.meta?.labels?.labels[MACHINE_LABEL]])).toEqual([[address, undefined]]);
    expect((await failure(machines.create(wish()))).message).toContain('1 still to be wiped');
  });

  test('has the VRF of its network on its ports once it is installed, and what it may announce', async () => {
    await using rig = await startRig();
    const { machines, boot, switches, wish, a, ips } = await hall(rig, 2);
    const { machine } = await machines.create(wish());
    const uuid = machine?.uuid ?? '';
    await boot.installationSucceeded({ uuid, consolePassword: 'console-secret' });
    await ips.create({ project: a, network: 'internet' });
    const { switch: found } = await switches.get({ id: 'leaf0a' });
    const ports = found?.nics.filter(({ vrf }) => vrf !== undefined);
    expect(ports?.map(({ vrf, bgpFilter }) => [vrf, bgpFilter?.cidrs, bgpFilter?.vnis])).toEqual([
      ['vrf1', ['10.0.0.0/24', '198.51.100.1/32'], []],
    ]);
    const firewall = await machines.create(
      wish({ name: 'fw', allocationType: Role.FIREWALL, networks: [{ network: 'net-a' }, { network: 'internet' }] }),
    );
    await boot.installationSucceeded({ uuid: firewall.machine?.uuid ?? '', consolePassword: 'console-secret' });
    const nics = (await switches.get({ id: 'leaf0a' })).switch?.nics ?? [];
    const filters = new Map(nics.map(({ vrf, bgpFilter }) => [vrf, bgpFilter]));
    expect(filters.get('default')).toMatchObject({ cidrs: ['10.255.0.1/32'], vnis: ['1', '104009'] });
    // The firewall's own addresses are not the machine's to announce.
    expect(filters.get('vrf1')?.cidrs).toEqual(['10.0.0.0/24', '198.51.100.1/32']);
    await machines.delete({ uuid, project: a });
    const freed = (await switches.get({ id: 'leaf0a' })).switch?.nics ?? [];
    expect(freed.flatMap(({ vrf }) => vrf ?? [])).toEqual(['default']);
  });

  test('belongs to its project alone', async () => {
    await using rig = await startRig();
    const { machines, wish, b } = await hall(rig, 1);
    const uuid = (await machines.create(wish())).machine?.uuid ?? '';
    for (const attempt of [
      () => machines.get({ uuid, project: b }),
      () => machines.delete({ uuid, project: b }),
      () => machines.update({ uuid, project: b, updateMeta: SERVER, description: 'x' }),
      () => machines.getBMC({ uuid, project: b }),
      () => machines.bMCCommand({ uuid, project: b, command: apiV2.MachineBMCCommand.MACHINE_BMC_COMMAND_OFF }),
    ])
      expect((await failure(attempt())).code).toBe(Code.NotFound);
  });
});

describe('an allocation is refused', () => {
  test.each<[string, MessageInitShape<typeof apiV2.MachineServiceCreateRequestSchema>, string]>([
    ['without a network of the project', { networks: [{ network: 'internet' }] }, 'name a child network'],
    ['with another project’s network', { networks: [{ network: 'net-b' }] }, 'that project'],
    ['with one network twice', { networks: [{ network: 'net-a' }, { network: 'net-a' }] }, 'named twice'],
    ['with a super network', { networks: [{ network: 'super' }] }, 'make a child'],
    ['with an underlay', { networks: [{ network: 'net-a' }, { network: 'underlay' }] }, 'leave it out'],
    [
      'with an address that the project has not',
      { networks: [{ network: 'net-a', ips: ['10.0.0.9'] }] },
      'has no address 10.0.0.9',
    ],
    [
      'with an address of another network',
      { networks: [{ network: 'net-a', ips: ['192.0.2.1'] }] },
      'is not in network',
    ],
    ['with an image that is not there', { image: 'debian-13' }, 'no image "debian-13"'],
    ['of a size that is not there', { size: 'c9' }, 'no size "c9"'],
    ['of a firewall without external network', { allocationType: Role.FIREWALL }, 'at least one external network'],
    ['of a machine with firewall rules', { firewallSpec: {} }, 'is for firewalls'],
    ['with a layout whose disks are missing', { filesystemLayout: 'nowhere' }, 'no filesystem layout "nowhere"'],
  ])('%s, and takes nothing', async (_name, change, words) => {
    await using rig = await startRig();
    const { machines, ips, wish, a } = await hall(rig, 1);
    expect((await failure(machines.create(wish(change)))).message).toContain(words);
    expect((await ips.list({ project: a })).ips).toEqual([]);
    expect((await machines.create(wish())).machine?.allocation?.networks[0]?.asn).toBe(4_210_000_001);
  });
});

test('an allocation takes an image that is for it, has not expired and fits size, layout and disks', async () => {
  await using rig = await startRig();
  const { machines, images, layouts, wish } = await hall(rig, 1);
  const constraints = createClient(adminV2.SizeImageConstraintService, rig.admin);
  const firewall = apiV2.ImageFeature.FIREWALL;
  const make = (id: string, feature: apiV2.ImageFeature = apiV2.ImageFeature.MACHINE) =>
    images.create({
      image: {
        id,
        url: 'http://images/x.tar',
        features: [feature],
        classification: apiV2.ImageClassification.SUPPORTED,
      },
    });
  await make('firewall-3.0.20260101', firewall);
  await make('ubuntu-24.4.20260101');
  await make('debian-11.0.20260101');
  await constraints.create({ size: 'c1', imageConstraints: [{ image: 'debian', semverMatch: '>= 12' }] });
  await layouts.create({
    filesystemLayout: {
      id: 'two-disks',
      disks: [{ device: '/dev/sdz', partitions: [{ number: 1, size: 1n, gptType: apiV2.GPTType.GPT_TYPE_LINUX }] }],
      filesystems: [{ device: '/dev/sdz1', format: apiV2.Format.EXT4, path: '/' }],
    },
  });
  const refusal = async (change: Parameters<typeof wish>[0]): Promise<string> =>
    (await failure(machines.create(wish(change)))).message;
  expect(await refusal({ image: 'firewall-3' })).toContain('is for firewall, not for a machine');
  expect(await refusal({ image: 'debian-11' })).toContain('size "c1" takes debian >= 12 only');
  expect(await refusal({ image: 'ubuntu-24.4' })).toContain('no filesystem layout is for size "c1" with image "ubuntu');
  expect(await refusal({ filesystemLayout: 'two-disks' })).toContain('there is no disk /dev/sdz');
  await images.update({
    id: 'debian-12.0.20260101',
    updateMeta: SERVER,
    expiresAt: timestampFromMs(Date.now() - 1000),
  });
  expect(await refusal({ image: 'debian-12.0.20260101' })).toContain('has expired: take a newer one');
  expect(
    (await machines.create(wish({ image: 'ubuntu-24.4', filesystemLayout: 'tmp' }))).machine?.allocation,
  ).toMatchObject({ hostname: 'metal', image: { id: 'ubuntu-24.4.20260101' }, filesystemLayout: { id: 'tmp' } });
});

test('an allocation names a size, or an administrator the machine', async () => {
  await using rig = await startRig();
  const { machines, wish, a } = await hall(rig, 1);
  const { size: _size, ...sizeless } = wish();
  expect((await failure(machines.create(sizeless))).message).toContain('give partition and size');
  const own = createClient(
    apiV2.MachineService,
    rig.channel(await rig.mint({ projectRoles: { [a]: apiV2.ProjectRole.OWNER } })),
  );
  const chosen = { ...sizeless, uuid: machineId(0) };
  expect((await failure(own.create(chosen))).code).toBe(Code.PermissionDenied);
  expect((await machines.create(chosen)).machine?.allocation?.name).toBe('web');
  expect((await failure(machines.create(chosen))).message).toContain('is allocated as "web" already');
});

describe('reservations', () => {
  test('keep machines for their project, whoever asks at once', async () => {
    await using rig = await startRig();
    const { machines, reservations, wish, a, b } = await hall(rig, 4);
    await reservations.create({
      sizeReservation: { name: 'r1', project: b, size: 'c1', partitions: ['lab'], amount: 2 },
    });
    const attempts = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => machines.create(wish({ name: `web${index}` }))),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect((await failure(machines.create(wish()))).message).toContain(
      '2 of the free ones are reserved for other projects',
    );
    for (const name of ['db1', 'db2'])
      await machines.create(wish({ name, project: b, networks: [{ network: 'net-b' }] }));
    expect((await machines.list({ project: a })).machines).toHaveLength(2);
    const racks = (await machines.list({ project: b })).machines.map(({ rack }) => rack);
    expect(new Set(racks).size).toBe(2);
  });
});

test('a machine that is named counts against reservations like any other', async () => {
  await using rig = await startRig();
  const { machines, reservations, wish, b } = await hall(rig, 2);
  const { sizeReservation } = await reservations.create({
    sizeReservation: { name: 'r1', project: b, size: 'c1', partitions: ['lab'], amount: 1 },
  });
  await machines.create(wish({ uuid: machineId(0) }));
  const refused = await failure(machines.create(wish({ name: 'second', uuid: machineId(1) })));
  expect(refused).toMatchObject({
    code: Code.FailedPrecondition,
    message: expect.stringContaining('of 1 free machines of size "c1" in partition "lab" 1 are reserved'),
  });
  const networks = [{ network: 'net-b' }];
  await machines.create(wish({ name: 'theirs', uuid: machineId(1), project: b, networks }));
  await machines.delete({ uuid: machineId(1), project: b });
  await reservations.delete({ id: sizeReservation?.id ?? '' });
});

test('a machine is not given away that one of its switches has forgotten', async () => {
  await using rig = await startRig();
  const { machines, wish } = await hall(rig, 1);
  const switches = createClient(adminV2.SwitchService, rig.admin);
  await switches.delete({ id: 'leaf0b', force: true });
  expect(await failure(machines.create(wish()))).toMatchObject({
    code: Code.ResourceExhausted,
    message: expect.stringContaining('0 free, 0 allocated, 1 not connected to two switches'),
  });
  expect((await failure(machines.create(wish({ uuid: machineId(0) })))).message).toContain(
    `machine ${machineId(0)} is not connected to two switches`,
  );
});

describe('machines of a project are spread over racks', () => {
  test('by placement labels', async () => {
    await using rig = await startRig();
    const { machines, wish } = await hall(rig, 8);
    const take = async (name: string, tier: string, uuid?: string): Promise<string | undefined> =>
      (
        await machines.create(
          wish({ name, placementLabels: { labels: { tier } }, ...(uuid === undefined ? {} : { uuid }) }),
        )
      ).machine?.rack;
    // Two machines stand in each of four racks.
    for (const [index, tier] of ['db', 'db', 'db', 'web'].entries())
      await take(`first${index}`, tier, machineId(2 * index));
    expect(await take('second', 'db')).toBe('rack3');
  });

  test('firewalls by themselves', async () => {
    await using rig = await startRig();
    const { machines, wish } = await hall(rig, 8);
    const firewall = { allocationType: Role.FIREWALL, networks: [{ network: 'net-a' }, { network: 'internet' }] };
    await machines.create(wish({ uuid: machineId(0) }));
    for (const index of [1, 2, 3])
      await machines.create(wish({ name: `fw${index}`, uuid: machineId(2 * index), ...firewall }));
    const rules = { egress: [{ ports: [443], to: ['0.0.0.0/0'], comment: 'https' }] };
    const { machine } = await machines.create(
      wish({ name: 'fw0', ...firewall, firewallSpec: { firewallRules: rules } }),
    );
    expect(machine?.rack).toBe('rack0');
    expect(machine?.allocation?.firewallRules).toMatchObject(rules);
  });
});

describe('commands for management controllers', () => {
  test('reach whoever waits for those of the partition, and are acknowledged once', async () => {
    await using rig = await startRig();
    const { machines, bmc, wish, a } = await hall(rig, 1);
    const uuid = (await machines.create(wish())).machine?.uuid ?? '';
    const stream = bmc.waitForBMCCommand({ partition: 'lab' }, { signal: AbortSignal.timeout(10_000) });
    const first = (async () => {
      for await (const command of stream) return command;
      return undefined;
    })();
    await machines.bMCCommand({ uuid, project: a, command: apiV2.MachineBMCCommand.MACHINE_BMC_COMMAND_CYCLE });
    const command = await first;
    expect(command).toMatchObject({
      uuid,
      bmcCommand: apiV2.MachineBMCCommand.MACHINE_BMC_COMMAND_CYCLE,
      machineBmc: { address: '10.9.0.1:623', password: 'secret' },
    });
    const commandId = command?.commandId ?? '';
    await bmc.bMCCommandDone({ commandId, error: 'no answer within 5 s' });
    expect((await rig.plane.stores.bmcCommands.get(commandId))?.error).toBe('no answer within 5 s');
    expect((await failure(bmc.bMCCommandDone({ commandId }))).code).toBe(Code.NotFound);
  });

  test('are for partitions’ agents only, streams included', async () => {
    await using rig = await startRig();
    await hall(rig, 0);
    const machine = createClient(
      infraV2.BMCService,
      rig.channel(await rig.mint({ machineRoles: { '*': apiV2.MachineRole.EDITOR } })),
    );
    const read = async (): Promise<void> => {
      for await (const command of machine.waitForBMCCommand({ partition: 'lab' })) expect(command).toBeUndefined();
    };
    expect((await failure(read())).code).toBe(Code.PermissionDenied);
  });
});
