import { apiV2, create, infraV2 } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { registerMachine } from '../../src/machine/register-machine.ts';
import { createStores, type Stores } from '../../src/store/stores.ts';
import { registerSwitch } from '../../src/topology/register-switch.ts';
import { setMachines } from '../../src/topology/set-machines.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';
import { cableTo, failure, hardware, leaf, machineA, machineB } from '../support.ts';

const registration = (uuid: string, one: string, other = one): infraV2.BootServiceRegisterRequest =>
  create(infraV2.BootServiceRegisterRequestSchema, {
    uuid,
    partition: 'lab',
    hardware: hardware(cableTo('eth0', 'leaf01', one), cableTo('eth1', 'leaf02', other)),
    bios: {},
  });

async function withLab(work: (stores: Stores) => Promise<void>): Promise<void> {
  await using place = await sqlitePlace();
  await using database = await place.open();
  const stores = createStores(database, systemClock);
  await stores.partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab' }));
  for (const id of ['leaf01', 'leaf02']) await registerSwitch(stores, leaf(id));
  await work(stores);
}

/** Stores in which something happens right before the first transaction, when all was read that it goes by. */
function overtakenBy(stores: Stores, deed: () => Promise<unknown>): Stores {
  let isDone = false;
  return {
    ...stores,
    transaction: async (work, options) => {
      if (!isDone) {
        isDone = true;
        await deed();
      }
      return stores.transaction(work, options);
    },
  };
}

const portsOf = async (stores: Stores, machine: string): Promise<string[]> =>
  (await stores.ports.ofMachine(machine)).map(({ switchId, port }) => `${switchId} ${port}`);

describe('a machine that registers while', () => {
  test('it registers elsewhere is on the ports of one registration only', () =>
    withLab(async (stores) => {
      const other = () => registerMachine(stores, systemClock, registration(machineA, 'Eth1/3'));
      await registerMachine(overtakenBy(stores, other), systemClock, registration(machineA, 'Eth1/1'));
      expect(await portsOf(stores, machineA)).toEqual(['leaf01 Ethernet0', 'leaf02 Ethernet0']);
      // And so does one that was known before.
      await registerMachine(overtakenBy(stores, other), systemClock, registration(machineA, 'Eth1/2'));
      expect(await portsOf(stores, machineA)).toEqual(['leaf01 Ethernet4', 'leaf02 Ethernet4']);
      await registerMachine(overtakenBy(stores, other), systemClock, registration(machineA, 'Eth1/2'));
      expect(await portsOf(stores, machineA)).toEqual(['leaf01 Ethernet4', 'leaf02 Ethernet4']);
    }));

  test('somebody takes it off its ports is on them afterwards', () =>
    withLab(async (stores) => {
      const request = registration(machineA, 'Eth1/1');
      await registerMachine(stores, systemClock, request);
      const off = () => stores.transaction((inner) => setMachines(inner, 'leaf01', []));
      await registerMachine(overtakenBy(stores, off), systemClock, request);
      expect(await portsOf(stores, machineA)).toEqual(['leaf01 Ethernet0', 'leaf02 Ethernet0']);
    }));

  test('it is given to somebody keeps the allocation', () =>
    withLab(async (stores) => {
      await registerMachine(stores, systemClock, registration(machineA, 'Eth1/1'));
      const give = () =>
        stores.machines.edit(machineA, (machine) => {
          machine.allocation = create(apiV2.MachineAllocationSchema, { uuid: 'x' });
        });
      await registerMachine(overtakenBy(stores, give), systemClock, registration(machineA, 'Eth1/2'));
      expect((await stores.machines.need(machineA)).value.allocation?.uuid).toBe('x');
    }));

  test('it is taken out of the records comes back with its wipe order', () =>
    withLab(async (stores) => {
      await registerMachine(stores, systemClock, registration(machineA, 'Eth1/1'));
      const remove = () =>
        stores.transaction(async (inner) => {
          for (const connection of await inner.ports.ofMachine(machineA)) await inner.ports.release(connection);
          await inner.owedWipes.put(machineA, 'order');
          await inner.machines.delete(machineA);
        });
      const back = await registerMachine(overtakenBy(stores, remove), systemClock, registration(machineA, 'Eth1/1'));
      expect(back).toMatchObject({
        generation: 1,
        value: { meta: { labels: { labels: { 'ingot.dev/wipe': 'order' } } } },
      });
      expect(await portsOf(stores, machineA)).toEqual(['leaf01 Ethernet0', 'leaf02 Ethernet0']);
    }));
});

test('a machine on a port of another one is refused and stored, and nothing of its connections changes', () =>
  withLab(async (stores) => {
    await registerMachine(stores, systemClock, registration(machineA, 'Eth1/1'));
    await registerMachine(stores, systemClock, registration(machineB, 'Eth1/2'));
    await stores.ports.release({
      switchId: 'leaf02',
      port: 'Ethernet0',
      identifier: '',
      mac: undefined,
      machineId: machineA,
    });
    // The port of one leaf is free, that of the other is not.
    const request = registration(machineB, 'Eth1/1');
    expect((await failure(registerMachine(stores, systemClock, request))).message).toBe(
      `cannot connect machine ${machineB} to its switches: eth0 sees port Ethernet0 of switch leaf01, which is connected ` +
        `to machine ${machineA}: delete that machine if this one has replaced it`,
    );
    expect(await portsOf(stores, machineB)).toEqual(['leaf01 Ethernet4', 'leaf02 Ethernet4']);
    const stored = (await stores.machines.need(machineB)).value;
    expect(stored.hardware?.nics[0]?.neighbors[0]?.identifier).toBe('Eth1/1');
    expect(stored.rack).toBe('rack01');
  }));

test('what many machines do leaves the generation of their switch alone; the machine has a new one', () =>
  withLab(async (stores) => {
    const first = await registerMachine(stores, systemClock, registration(machineA, 'Eth1/1'));
    expect(await registerMachine(stores, systemClock, registration(machineA, 'Eth1/1'))).toEqual(first);
    expect(await registerMachine(stores, systemClock, registration(machineA, 'Eth1/2'))).toMatchObject({
      generation: first.generation + 1,
    });
    expect(await stores.switches.get('leaf01')).toMatchObject({ generation: 1 });
  }));
