import { readFileSync } from 'node:fs';
import { adminV2, apiV2, Code, create, createClient, infraV2 } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { version } from '../src/index.ts';
import { failure, machineA, machineB, MockClock, startRig } from './support.ts';

const Type: typeof apiV2.MachineProvisioningEventType = apiV2.MachineProvisioningEventType;
const event = (type: apiV2.MachineProvisioningEventType) =>
  create(apiV2.MachineProvisioningEventSchema, { event: type, message: 'm' });
const { MachineLiveliness } = apiV2;

describe('version and health', () => {
  test('need no token, and the version is that of the package', async () => {
    await using rig = await startRig();
    const answer = await createClient(apiV2.VersionService, rig.channel()).get({});
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(manifest).toMatchObject({ version });
    expect(answer.version?.version).toBe(version);
    const { health } = await createClient(apiV2.HealthService, rig.channel()).get({});
    expect(health?.services).toMatchObject([{ status: apiV2.ServiceStatus.HEALTHY }]);
  });
});

describe('partitions', () => {
  test('are those of the configuration', async () => {
    await using rig = await startRig();
    const partitions = createClient(apiV2.PartitionService, rig.admin);
    expect((await partitions.list({})).partitions).toMatchObject([
      { id: 'lab', dnsServers: [{ ip: '10.0.0.1' }], ntpServers: [{ address: 'ntp.lab' }], meta: { generation: 1n } },
    ]);
    expect((await failure(partitions.get({ id: 'nowhere' }))).code).toBe(Code.NotFound);
    await rig.restart();
    const { partition } = await createClient(apiV2.PartitionService, rig.admin).get({ id: 'lab' });
    expect(partition?.meta?.generation).toBe(1n);
  });
});

describe("a machine's BMC", () => {
  test('is told as the machine reported it, its password only to who may act on it', async () => {
    await using rig = await startRig();
    await createClient(infraV2.BootService, rig.admin)
      .register({
        uuid: machineA,
        partition: 'lab',
        bios: {},
        hardware: { memory: 1n },
        bmc: { address: '10.0.0.101:623', mac: '52:54:00:00:02:01', user: 'metal', password: 'very-secret' },
      })
      .catch(() => undefined); // it hangs on no leaf, but is stored all the same
    const asked = async (adminRole: apiV2.AdminRole): Promise<apiV2.MachineBMC | undefined> => {
      const channel = rig.channel(await rig.mint({ adminRole }));
      const { bmcDetails } = await createClient(adminV2.MachineService, channel).getBMC({ uuid: machineA });
      return bmcDetails?.bmcReport?.bmc;
    };
    expect(await asked(apiV2.AdminRole.EDITOR)).toMatchObject({ address: '10.0.0.101:623', password: 'very-secret' });
    expect(await asked(apiV2.AdminRole.VIEWER)).toMatchObject({
      address: '10.0.0.101:623',
      user: 'metal',
      password: '',
    });
  });

  test('of a machine that nobody knows is not found', async () => {
    await using rig = await startRig();
    const asked = createClient(adminV2.MachineService, rig.admin).getBMC({ uuid: machineB });
    expect((await failure(asked)).code).toBe(Code.NotFound);
  });
});

describe('events', () => {
  test('of unknown machines create them; unknown types and keys come back as failed', async () => {
    await using rig = await startRig();
    const events = createClient(infraV2.EventService, rig.admin);
    const answer = await events.send({
      events: {
        [machineA]: event(Type.PXE_BOOTING),
        [machineB]: event(Type.UNSPECIFIED),
        'no uuid': event(Type.ALIVE),
      },
    });
    expect(answer.events).toBe(1n);
    expect(answer.failed.toSorted()).toEqual([machineB, 'no uuid'].toSorted());
    const { machines } = await createClient(adminV2.MachineService, rig.admin).list({});
    expect(machines.map(({ uuid }) => uuid)).toEqual([machineA]);
  });

  test('make a machine that nobody has heard of, but not when an installed system phones home', async () => {
    await using rig = await startRig();
    const events = createClient(infraV2.EventService, rig.admin);
    const answer = await events.send({
      events: { [machineA]: event(Type.PHONED_HOME), [machineB]: event(Type.ALIVE) },
    });
    expect(answer).toMatchObject({ events: 1n, failed: [machineA] });
    expect((await rig.plane.stores.machines.list()).map(({ id }) => id)).toEqual([machineB]);
    expect((await rig.plane.stores.events.of(machineA)).recent.events).toEqual([]);
    expect((await events.send({ events: { [machineB]: event(Type.PHONED_HOME) } })).failed).toEqual([]);
  });

  test('that only others can tell are refused from a machine', async () => {
    await using rig = await startRig();
    const secret = await rig.mint({ machineRoles: { [machineA]: apiV2.MachineRole.EDITOR } });
    const events = createClient(infraV2.EventService, rig.channel(secret));
    const refused = await failure(events.send({ events: { [machineA]: event(Type.PHONED_HOME) } }));
    expect(refused.code).toBe(Code.PermissionDenied);
    expect(refused.message).toContain('"Phoned Home"');
  });

  test('count from when they come in, and a silent machine is dead after five minutes', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    const events = createClient(infraV2.EventService, rig.admin);
    const machines = createClient(adminV2.MachineService, rig.admin);
    const alive = async (): Promise<apiV2.MachineLiveliness | undefined> =>
      (await machines.get({ uuid: machineA })).machine?.status?.liveliness;
    const old = create(apiV2.MachineProvisioningEventSchema, { event: Type.WAITING, time: { seconds: 1n } });
    await events.send({ events: { [machineA]: old } });
    expect(await alive()).toBe(MachineLiveliness.ALIVE);
    await clock.advance(300_000);
    expect(await alive()).toBe(MachineLiveliness.ALIVE);
    await clock.advance(1);
    expect(await alive()).toBe(MachineLiveliness.DEAD);
    await events.send({ events: { [machineA]: event(Type.ALIVE) } });
    expect(await alive()).toBe(MachineLiveliness.ALIVE);
    const { machine } = await machines.get({ uuid: machineA });
    expect(machine?.recentProvisioningEvents?.events).toHaveLength(1);
  });
});

describe('components', () => {
  const ping = {
    type: apiV2.ComponentType.METAL_CORE,
    identifier: 'leaf01',
    startedAt: { seconds: 1n },
    interval: { seconds: 300n },
    version: { version: '1.0' },
  };

  test('are known by type and identifier, and forgotten a day after the last ping', async () => {
    const clock = new MockClock({ nowMs: Date.now() });
    await using rig = await startRig({ clock });
    const components = createClient(infraV2.ComponentService, rig.admin);
    const list = async (query?: { identifier: string }): Promise<apiV2.Component[]> =>
      (await createClient(adminV2.ComponentService, rig.admin).list(query === undefined ? {} : { query })).components;
    await components.ping(ping);
    await components.ping({ ...ping, version: { version: '1.1' } });
    await components.ping({ ...ping, identifier: 'leaf02' });
    expect(await list()).toMatchObject([
      { identifier: 'leaf01', version: { version: '1.1' }, token: { user: 'admin' } },
      { identifier: 'leaf02' },
    ]);
    expect(await list({ identifier: 'leaf02' })).toHaveLength(1);
    await clock.advance(24 * 3_600_000);
    expect(await list()).toEqual([]);
  });
});

describe('machines', () => {
  test('cannot be selected by what this server does not know', async () => {
    await using rig = await startRig();
    await createClient(infraV2.EventService, rig.admin).send({ events: { [machineA]: event(Type.PXE_BOOTING) } });
    const machines = createClient(adminV2.MachineService, rig.admin);
    const error = await failure(machines.list({ query: { allocation: { vpn: {} } } }));
    expect(error.code).toBe(Code.Unimplemented);
    expect(error.message).toContain('allocation.vpn');
    expect((await machines.list({ query: { notAllocated: true, size: 'unknown' } })).machines).toHaveLength(1);
    expect((await machines.list({ query: { rack: 'rack01' } })).machines).toEqual([]);
    expect((await failure(machines.get({ uuid: machineB }))).code).toBe(Code.NotFound);
  });

  test('and all else survive a restart', async () => {
    await using rig = await startRig();
    await createClient(infraV2.EventService, rig.admin).send({ events: { [machineA]: event(Type.PXE_BOOTING) } });
    await rig.restart();
    const { machine } = await createClient(adminV2.MachineService, rig.admin).get({ uuid: machineA });
    expect(machine?.recentProvisioningEvents?.events).toMatchObject([{ event: Type.PXE_BOOTING, message: 'm' }]);
  });
});
