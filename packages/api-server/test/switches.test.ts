import { adminV2, apiV2, Code, createClient, durationFromMs, infraV2, type ApiError } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { cableTo, failure, hardware, leaf, machineA, port, startRig, type Rig } from './support.ts';

const { UP, DOWN, UNKNOWN } = apiV2.SwitchPortStatus;
const bios = { version: '1', vendor: 'OVMF', date: '2026' };

interface Agents {
  readonly switches: ReturnType<typeof agentsOf>['switches'];
  readonly boot: ReturnType<typeof agentsOf>['boot'];
}

function agentsOf(rig: Rig) {
  return {
    switches: createClient(infraV2.SwitchService, rig.admin),
    boot: createClient(infraV2.BootService, rig.admin),
  };
}

/** Two leaves, and machine A on Ethernet0 of both. */
async function wired(rig: Rig): Promise<Agents> {
  const agents = agentsOf(rig);
  await agents.switches.register({ switch: leaf('leaf01') });
  await agents.switches.register({ switch: leaf('leaf02') });
  await agents.boot.register(machineOn('Eth1/1'));
  return agents;
}

const machineOn = (identifier: string, one = 'leaf01', other = 'leaf02') => ({
  uuid: machineA,
  partition: 'lab',
  bios,
  hardware: hardware(cableTo('eth0', one, identifier), cableTo('eth1', other, identifier)),
});

const refusal = (promise: Promise<unknown>): Promise<ApiError> => failure(promise);

describe('registering a switch', () => {
  test('again with the same content changes nothing, and keeps its connections', async () => {
    await using rig = await startRig();
    const { switches } = await wired(rig);
    const before = (await switches.get({ id: 'leaf01' })).switch;
    const { switch: again } = await switches.register({ switch: leaf('leaf01') });
    expect(again?.meta?.generation).toBe(before?.meta?.generation);
    expect(again?.machineConnections).toMatchObject([{ machineId: machineA, nic: { name: 'Ethernet0' } }]);
  });

  test('is refused when it would take a port from a machine, by name and by identifier', async () => {
    await using rig = await startRig();
    const { switches } = await wired(rig);
    const without = leaf('leaf01', (one) => void one.nics.shift());
    const removed = await refusal(switches.register({ switch: without }));
    expect(removed.code).toBe(Code.FailedPrecondition);
    expect(removed.message).toContain(
      `port Ethernet0 (identifier Eth1/1) of switch leaf01 is connected to machine ${machineA}`,
    );
    const renamed = leaf('leaf01', (one) => void one.nics.splice(0, 1, port('Ethernet0', 'Eth7/7')));
    expect((await refusal(switches.register({ switch: renamed }))).message).toContain('renamed to Eth7/7');
    const moved = leaf('leaf01', (one) => {
      one.rack = 'rack02';
    });
    expect((await refusal(switches.register({ switch: moved }))).message).toContain('it cannot move');
    const free = leaf('leaf01', (one) => void one.nics.pop());
    expect((await switches.register({ switch: free })).switch?.nics).toHaveLength(3);
  });

  test('is refused with ports that cannot be told apart, or without state', async () => {
    await using rig = await startRig();
    const { switches } = agentsOf(rig);
    const twice = leaf(
      'leaf01',
      (one) => void one.nics.push(port('Ethernet0', 'Eth1/9'), port('Ethernet99', 'Eth1/1')),
    );
    const error = await refusal(switches.register({ switch: twice }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.message).toContain('name Ethernet0, identifier Eth1/1');
    const stateless = leaf('leaf01', (one) => {
      for (const nic of one.nics) delete nic.state;
    });
    expect((await refusal(switches.register({ switch: stateless }))).message).toContain(
      'ports without state: Ethernet0',
    );
  });

  test('is refused for another operating system and an unknown partition', async () => {
    await using rig = await startRig();
    const { switches } = await wired(rig);
    const cumulus = leaf('leaf01', (one) => {
      if (one.os !== undefined) one.os.vendor = apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_CUMULUS;
    });
    expect((await refusal(switches.register({ switch: cumulus }))).message).toContain('ran SONiC and now runs Cumulus');
    const elsewhere = leaf('leaf03', (one) => {
      one.partition = 'nowhere';
    });
    expect((await refusal(switches.register({ switch: elsewhere }))).code).toBe(Code.NotFound);
    expect((await refusal(switches.register({}))).code).toBe(Code.InvalidArgument);
  });
});

describe('a heartbeat', () => {
  const states = (actual: apiV2.SwitchPortStatus): Record<string, apiV2.SwitchPortStatus> =>
    Object.fromEntries(leaf('x').nics.map((nic) => [nic.name, actual]));

  test('stores port states and the last synchronisation, and is no change of the switch', async () => {
    await using rig = await startRig();
    const { switches } = await wired(rig);
    const before = (await switches.get({ id: 'leaf01' })).switch;
    const answer = await switches.heartbeat({ id: 'leaf01', duration: durationFromMs(250), portStates: states(DOWN) });
    expect(answer).toMatchObject({ id: 'leaf01', lastSync: { duration: { nanos: 250_000_000 } } });
    expect(answer.lastSyncError).toBeUndefined();
    const after = (await switches.get({ id: 'leaf01' })).switch;
    expect(after?.nics.map((nic) => nic.state?.actual)).toEqual([DOWN, DOWN, DOWN, DOWN]);
    expect(after?.meta?.generation).toBe(before?.meta?.generation);
  });

  test('with an error keeps the last good synchronisation and the port states', async () => {
    await using rig = await startRig();
    const { switches } = await wired(rig);
    await switches.heartbeat({ id: 'leaf01', duration: durationFromMs(1), portStates: states(UNKNOWN) });
    const answer = await switches.heartbeat({ id: 'leaf01', duration: durationFromMs(2), error: 'redis is away' });
    expect(answer.lastSync?.error).toBeUndefined();
    expect(answer.lastSyncError?.error).toBe('redis is away');
    const { switches: found } = await createClient(adminV2.SwitchService, rig.admin).list({ query: { id: 'leaf01' } });
    expect(found[0]?.nics[0]?.state?.actual).toBe(UNKNOWN);
  });

  test('must report every registered port, or none', async () => {
    await using rig = await startRig();
    const { switches } = await wired(rig);
    const error = await refusal(switches.heartbeat({ id: 'leaf01', portStates: { Ethernet0: UP, Ethernet4: UP } }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.message).toContain('port_states lacks Ethernet8, Ethernet12');
  });

  test('removes BGP sessions that it no longer names', async () => {
    await using rig = await startRig();
    const { switches } = await wired(rig);
    const session = {
      neighbor: 'spine01',
      peerGroup: 'FABRIC',
      vrfName: 'default',
      bgpState: apiV2.BGPState.BGP_STATE_ESTABLISHED,
    };
    const sessions = async (): Promise<string[]> => {
      const nics = (await switches.get({ id: 'leaf01' })).switch?.nics ?? [];
      return nics.filter((nic) => nic.bgpPortState !== undefined).map((nic) => nic.name);
    };
    const message = (name: string) => ({
      [name]: {
        $typeName: 'metalstack.api.v2.SwitchBGPPortState' as const,
        ...session,
        sentPrefixCounter: 1n,
        acceptedPrefixCounter: 2n,
      },
    });
    await switches.heartbeat({ id: 'leaf01', bgpPortStates: { ...message('Ethernet0'), ...message('Ethernet4') } });
    expect(await sessions()).toEqual(['Ethernet0', 'Ethernet4']);
    await switches.heartbeat({ id: 'leaf01', bgpPortStates: {} });
    expect(await sessions()).toEqual(['Ethernet0', 'Ethernet4']);
    await switches.heartbeat({ id: 'leaf01', bgpPortStates: message('Ethernet4') });
    expect(await sessions()).toEqual(['Ethernet4']);
  });

  test('of an unknown switch says so', async () => {
    await using rig = await startRig();
    expect((await refusal(agentsOf(rig).switches.heartbeat({ id: 'leaf09' }))).code).toBe(Code.NotFound);
  });
});

describe('a machine that registers', () => {
  test('moves to other ports of the rack and leaves the former ones', async () => {
    await using rig = await startRig();
    const { switches, boot } = await wired(rig);
    await boot.register(machineOn('Eth1/3'));
    const connections = (await switches.get({ id: 'leaf01' })).switch?.machineConnections;
    expect(connections).toMatchObject([{ machineId: machineA, nic: { name: 'Ethernet8' } }]);
    await switches.register({ switch: leaf('leaf03') });
    await switches.register({ switch: leaf('leaf04') });
    await boot.register(machineOn('Eth1/1', 'leaf03', 'leaf04'));
    expect((await switches.get({ id: 'leaf01' })).switch?.machineConnections).toEqual([]);
    expect((await switches.get({ id: 'leaf04' })).switch?.machineConnections).toHaveLength(1);
  });

  test('may not move to another rack while the old one holds it', async () => {
    await using rig = await startRig();
    const { switches, boot } = await wired(rig);
    for (const id of ['leaf11', 'leaf12']) {
      await switches.register({
        switch: leaf(id, (one) => {
          one.rack = 'rack02';
        }),
      });
    }
    const error = await refusal(boot.register(machineOn('Eth1/1', 'leaf11', 'leaf12')));
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.message).toContain('switch leaf01 of rack "rack01" still holds a connection');
    expect((await switches.get({ id: 'leaf11' })).switch?.machineConnections).toEqual([]);
  });

  test('with wrong cabling is stored and can be looked at', async () => {
    await using rig = await startRig();
    const { boot } = agentsOf(rig);
    const error = await refusal(boot.register(machineOn('Eth1/1')));
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(error.message).toContain(`cannot connect machine ${machineA} to its switches`);
    const { machine } = await createClient(adminV2.MachineService, rig.admin).get({ uuid: machineA });
    expect(machine?.hardware?.nics).toHaveLength(2);
  });

  test('without hardware or firmware, or in no partition, is refused', async () => {
    await using rig = await startRig();
    const { boot } = agentsOf(rig);
    const { hardware: _hardware, ...bare } = machineOn('Eth1/1');
    expect((await refusal(boot.register(bare))).message).toBe('hardware is required');
    expect((await refusal(boot.register({ ...machineOn('Eth1/1'), partition: 'nowhere' }))).code).toBe(Code.NotFound);
  });
});
