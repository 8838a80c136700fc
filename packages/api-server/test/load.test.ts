import { ApiError, apiV2, Code, create, createClient, infraV2 } from '@ingot/api';
import { expect, test } from 'vitest';
import { cableTo, hardware, leaf, port, startRig, until } from './support.ts';

const MACHINES = 200;
const WAITERS = 100;
const RACKS = 4;
const PORTS = MACHINES / RACKS;
/** Below what the server takes on one connection. */
const CALLS_OF_A_CHANNEL = 50;

const uuids = Array.from({ length: MACHINES }, (_, n) => `aaaaaaaa-0000-4000-8000-${String(n).padStart(12, '0')}`);
const rackOf = (index: number): number => index % RACKS;
const portOf = (index: number): string => `Eth1/${Math.floor(index / RACKS) + 1}`;

// The whole of it, with figures: node test/bench/api-load.bench.ts
test('machines that register at once, and wait at once, all get what is theirs', async () => {
  await using rig = await startRig();
  const { stores, waitingRoom } = rig.plane;
  const switches = createClient(infraV2.SwitchService, rig.admin);
  for (let index = 0; index < RACKS * 2; index += 1) {
    const one = leaf(`rack${Math.floor(index / 2)}-leaf${index % 2}`, (made) => {
      made.rack = `rack${Math.floor(index / 2)}`;
      made.nics = Array.from({ length: PORTS }, (_, n) => port(`Ethernet${n * 4}`, `Eth1/${n + 1}`));
    });
    await switches.register({ switch: one });
  }
  const channels = Array.from({ length: MACHINES / CALLS_OF_A_CHANNEL }, () => rig.channel(rig.adminToken));
  const boot = (index: number) => {
    const channel = channels[Math.floor(index / CALLS_OF_A_CHANNEL)];
    if (channel === undefined) throw new RangeError(`no channel for machine ${index}`);
    return { boot: createClient(infraV2.BootService, channel), events: createClient(infraV2.EventService, channel) };
  };

  const registered = await Promise.all(
    uuids.map(async (uuid, index) => {
      const rack = `rack${rackOf(index)}`;
      const cables = [0, 1].map((side) => cableTo(`eth${side}`, `${rack}-leaf${side}`, portOf(index)));
      const { boot: service, events } = boot(index);
      const request = { uuid, hardware: hardware(...cables), bios: {}, partition: 'lab' };
      const answer = await persistently(() => service.register(request));
      const event = { event: apiV2.MachineProvisioningEventType.WAITING, message: `${index}` };
      const sent = await persistently(() => events.send({ events: { [uuid]: event } }));
      expect(sent).toMatchObject({ events: 1n, failed: [] });
      return answer.uuid;
    }),
  );
  expect(registered).toEqual(uuids);
  const stored = await stores.machines.getMany(uuids);
  const told = await stores.events.ofMany(uuids);
  for (const [index, uuid] of uuids.entries()) {
    expect(stored.get(uuid)?.value).toMatchObject({ uuid, rack: `rack${rackOf(index)}` });
    expect(told.get(uuid)?.recent.events.map(({ message }) => message)).toEqual([`${index}`]);
  }
  const ports = await stores.ports.ofMany((await stores.switches.list()).map(({ id }) => id));
  expect(ports.size).toBe(RACKS * 2);
  for (const [id, { connections }] of ports) {
    const connected = connections.map((one) => `${one.machineId} ${one.identifier}`);
    const expected = uuids.flatMap((uuid, index) =>
      id.startsWith(`rack${rackOf(index)}-`) ? [`${uuid} ${portOf(index)}`] : [],
    );
    expect(connected.toSorted()).toEqual(expected.toSorted());
  }

  const waiters = uuids.slice(0, WAITERS);
  const allocations = waiters.map(async (uuid, index) => {
    for await (const { allocation } of boot(index).boot.wait({ uuid })) return allocation?.uuid;
    return undefined;
  });
  await until(() => waitingRoom.size === WAITERS);
  const idOf = (index: number): string => `cccccccc-0000-4000-8000-${String(index).padStart(12, '0')}`;
  await Promise.all(
    waiters.map((uuid, index) =>
      stores.machines.edit(uuid, (machine) => {
        machine.allocation = create(apiV2.MachineAllocationSchema, { uuid: idOf(index), name: 'web' });
      }),
    ),
  );
  expect(await Promise.all(allocations)).toEqual(waiters.map((_uuid, index) => idOf(index)));
  await until(async () => waitingRoom.size === 0 && (await stores.waiting.all()).size === 0);
});

/** As agents do: a write may have to give way to others for long, and a host that is busy have no connection free. */
async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ApiError) || (error.code !== Code.Aborted && error.code !== Code.Unavailable)) throw error;
    }
  }
}
