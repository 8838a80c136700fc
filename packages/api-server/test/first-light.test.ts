import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { adminV2, apiV2, Code, createClient, infraV2 } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { cableTo, failure, hardware, leaf, machineA, startRig, until } from './support.ts';

const bios = { version: '1', vendor: 'OVMF', date: '2026-01-01' };

describe('a machine from power on to waiting', () => {
  test('appears, is registered, connected to both leaves, and waits', async () => {
    await using rig = await startRig();
    const infra = rig.channel(
      await rig.mint({
        infraRole: apiV2.InfraRole.EDITOR,
        machineRoles: { '*': apiV2.MachineRole.EDITOR },
      }),
    );
    const switches = createClient(infraV2.SwitchService, infra);
    await switches.register({ switch: leaf('leaf01') });
    await switches.register({ switch: leaf('leaf02') });

    const bootServer = createClient(infraV2.BootService, infra);
    await bootServer.dhcp({ uuid: machineA.toUpperCase(), partition: 'lab' });
    const boot = await bootServer.boot({ mac: '52:54:00:00:00:01', partition: 'lab' });
    expect(boot).toMatchObject({
      kernel: 'http://10.0.0.1/vmlinuz',
      initRamDisks: ['http://10.0.0.1/initrd'],
      cmdline: 'quiet',
    });
    const minted = await createClient(apiV2.TokenService, infra).create({
      description: 'machine',
      expires: { seconds: 259_200n },
      machineRoles: { [machineA]: apiV2.MachineRole.EDITOR },
    });

    const own = rig.channel(minted.secret);
    const agent = createClient(infraV2.BootService, own);
    const events = createClient(infraV2.EventService, own);
    const send = async (event: apiV2.MachineProvisioningEventType): Promise<void> => {
      const answer = await events.send({
        events: { [machineA]: { $typeName: 'metalstack.api.v2.MachineProvisioningEvent', event, message: 'x' } },
      });
      expect(answer).toMatchObject({ events: 1n, failed: [] });
    };
    await send(apiV2.MachineProvisioningEventType.PREPARING);
    await send(apiV2.MachineProvisioningEventType.REGISTERING);
    expect(await agent.superUserPassword({ uuid: machineA })).toMatchObject({ featureDisabled: true });
    const request = {
      uuid: machineA,
      partition: 'lab',
      bios,
      metalHammerVersion: 'ingot 0.1.0',
      hardware: hardware(cableTo('eth0', 'leaf01', 'Eth1/1'), cableTo('eth1', 'leaf02', 'Eth1/1')),
      tags: ['row=7'],
    };
    const registered = await agent.register(request);
    expect(registered).toMatchObject({ uuid: machineA, size: 'unknown', partition: 'lab' });
    await send(apiV2.MachineProvisioningEventType.WAITING);

    const leaving = new AbortController();
    const waiting = Array.fromAsync(agent.wait({ uuid: machineA }, { signal: leaving.signal }));
    await until(() => rig.plane.waitingRoom.isWaiting(machineA));

    const machines = createClient(adminV2.MachineService, rig.admin);
    const { machine } = await machines.get({ uuid: machineA });
    expect(machine).toMatchObject({
      uuid: machineA,
      rack: 'rack01',
      partition: { id: 'lab', description: 'two leaves' },
      size: { id: 'unknown' },
      status: { liveliness: apiV2.MachineLiveliness.ALIVE, metalHammerVersion: 'ingot 0.1.0' },
      meta: { labels: { labels: { row: '7' } } },
    });
    expect(machine?.recentProvisioningEvents?.events.map((event) => event.event)).toEqual([
      apiV2.MachineProvisioningEventType.WAITING,
      apiV2.MachineProvisioningEventType.REGISTERING,
      apiV2.MachineProvisioningEventType.PREPARING,
      apiV2.MachineProvisioningEventType.PXE_BOOTING,
    ]);
    expect((await machines.list({ query: { waiting: true } })).machines).toHaveLength(1);
    expect((await machines.list({ query: { waiting: false } })).machines).toHaveLength(0);

    const { switches: found } = await createClient(adminV2.SwitchService, rig.admin).list({});
    expect(found.map((one) => one.machineConnections)).toMatchObject([
      [{ machineId: machineA, nic: { name: 'Ethernet0' } }],
      [{ machineId: machineA, nic: { name: 'Ethernet0' } }],
    ]);

    // The same again changes nothing.
    await agent.register(request);
    expect((await machines.get({ uuid: machineA })).machine?.meta?.generation).toBe(machine?.meta?.generation);

    leaving.abort();
    expect((await failure(waiting)).code).toBe(Code.Canceled);
    await until(() => !rig.plane.waitingRoom.isWaiting(machineA));
  });

  test('leaves secrets readable by their owner only', async () => {
    await using rig = await startRig();
    const mode = async (...path: string[]): Promise<string> =>
      ((await stat(join(rig.dataDir, ...path))).mode & 0o777).toString(8);
    expect(await mode('admin.token')).toBe('600');
    expect(await mode('server.lock')).toBe('600');
    expect(await mode('tls', 'ca.key')).toBe('600');
    expect(await mode('tls', 'server.key')).toBe('600');
    expect(await mode('tls', 'ca.pem')).toBe('644');
  });
});
