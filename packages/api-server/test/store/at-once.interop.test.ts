// What the machines of one leaf do at the same time on PostgreSQL, where transactions can come into conflict.
import { apiV2, create, infraV2 } from '@ingot/api';
import { systemClock } from '@ingot/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noteBoot, noteEvents } from '../../src/machine/note-events.ts';
import { registerMachine } from '../../src/machine/register-machine.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { createStores, type Stores } from '../../src/store/stores.ts';
import { setPortVrfs } from '../../src/topology/port-vrfs.ts';
import { registerSwitch } from '../../src/topology/register-switch.ts';
import { startPostgres, type PostgresServer } from '../postgres-server.ts';
import { cableTo, failure, hardware, leaf } from '../support.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const { PREPARING, REGISTERING, ALIVE } = apiV2.MachineProvisioningEventType;
const MACHINES = ['Eth1/1', 'Eth1/2', 'Eth1/3', 'Eth1/4'].map((identifier, index) => ({
  id: `aaaaaaaa-0000-4000-8000-00000000000${index}`,
  identifier,
}));

const registration = (uuid: string, identifier: string, version = '1'): infraV2.BootServiceRegisterRequest =>
  create(infraV2.BootServiceRegisterRequestSchema, {
    uuid,
    partition: 'lab',
    hardware: hardware(cableTo('eth0', 'leaf01', identifier), cableTo('eth1', 'leaf02', identifier)),
    bios: { version },
  });

/** Stores whose transactions, once their work is done, wait for each other before any is stored; counts their tries. */
function together(stores: Stores, count: number): { readonly stores: Stores; readonly tries: () => number } {
  const all = Promise.withResolvers<void>();
  let tries = 0;
  return {
    tries: () => tries,
    stores: {
      ...stores,
      transaction: (work, options) =>
        stores.transaction(async (inner) => {
          const result = await work(inner);
          tries += 1;
          if (tries >= count) all.resolve();
          await all.promise;
          return result;
        }, options),
    },
  };
}

async function lab(stores: Stores): Promise<void> {
  await stores.partitions.put('lab', create(apiV2.PartitionSchema, { id: 'lab' }));
  const leaves = ['leaf01', 'leaf02', 'leaf03', 'leaf04'];
  for (const again of [leaf, leaf]) {
    const held = together(stores, leaves.length);
    await Promise.all(leaves.map((id) => registerSwitch(held.stores, again(id))));
    expect(held.tries()).toBe(leaves.length);
  }
}

test('machines of one leaf that boot, register and are installed at once need one try each', async () => {
  await using database = await openDatabase(
    { dialect: 'postgres', url: await server.createDatabase() },
    { clock: systemClock },
  );
  const stores = createStores(database, systemClock);
  await lab(stores);
  const atOnce = async (work: (stores: Stores, id: string, identifier: string) => Promise<unknown>): Promise<void> => {
    const held = together(stores, MACHINES.length);
    await Promise.all(MACHINES.map(({ id, identifier }) => work(held.stores, id, identifier)));
    expect(held.tries()).toBe(MACHINES.length);
  };
  await atOnce((held, id) => noteBoot(held, id, 'lab', (inner) => inner.partitions.need('lab')));
  for (const event of [PREPARING, REGISTERING, ALIVE])
    await atOnce((held, uuid) => noteEvents(held, [{ uuid, event, message: 'x' }]));
  for (const version of ['1', '1', '2'])
    await atOnce((held, id, identifier) => registerMachine(held, systemClock, registration(id, identifier, version)));
  await atOnce((held, id) => held.transaction((inner) => setPortVrfs(inner, id, 'vrf7')));

  for (const id of ['leaf01', 'leaf02']) {
    const { connections, vrfs } = await stores.ports.of(id);
    const found = connections.map(({ machineId, identifier }) => `${machineId} ${identifier}`);
    expect(found.toSorted()).toEqual(MACHINES.map((one) => `${one.id} ${one.identifier}`));
    expect([...vrfs.values()]).toEqual(MACHINES.map(() => 'vrf7'));
    expect(await stores.switches.get(id)).toMatchObject({ generation: 1 });
  }
  const events = await stores.events.ofMany(MACHINES.map(({ id }) => id));
  expect([...events.values()].map(({ recent }) => recent.events.length)).toEqual(MACHINES.map(() => 3));
});

test('of machines that claim one port at once one gets it, and the others are told whose it is', async () => {
  await using database = await openDatabase(
    { dialect: 'postgres', url: await server.createDatabase() },
    { clock: systemClock },
  );
  const stores = createStores(database, systemClock);
  await lab(stores);
  const tries = await Promise.allSettled(
    MACHINES.map(({ id }) => registerMachine(stores, systemClock, registration(id, 'Eth1/1'))),
  );
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const { connections } = await stores.ports.of('leaf01');
  const owner = connections[0]?.machineId ?? '';
  expect(connections).toHaveLength(1);
  expect((await stores.ports.of('leaf02')).connections.map(({ machineId }) => machineId)).toEqual([owner]);
  for (const { id } of MACHINES) {
    expect((await stores.machines.need(id)).value.hardware?.nics).toHaveLength(2);
    if (id === owner) continue;
    const { message } = await failure(registerMachine(stores, systemClock, registration(id, 'Eth1/1')));
    expect(message).toContain(`connected to machine ${owner}`);
  }
});
