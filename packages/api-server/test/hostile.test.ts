import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { adminV2, ApiError, apiV2, Code, create, createClient, infraV2 } from '@ingot/api';
import { expect, test } from 'vitest';
import { findOrCreateMachine } from '../src/machine/machine-records.ts';
import { createServerIdentity } from '../src/tls/certificates.ts';
import { failure, machineA, startRig, until, type Rig } from './support.ts';

/** The serial number of the certificate that a new connection is shown. */
function serialShown(rig: Rig): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(rig.url);
    const socket = connect({ host: hostname, port: Number(port), ca: rig.ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('a certificate is replaced while streams are open: they go on, and new connections are shown the new one', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const stream = createClient(infraV2.BootService, rig.admin).wait({ uuid: machineA })[Symbol.asyncIterator]();
  const first = stream.next();
  await until(() => rig.plane.waitingRoom.isWaiting(machineA));
  const before = await serialShown(rig);
  const tls = join(rig.dataDir, 'tls');
  const authority = {
    cert: await readFile(join(tls, 'ca.pem'), 'utf8'),
    key: await readFile(join(tls, 'ca.key'), 'utf8'),
  };
  const serial = '01'.repeat(16);
  rig.plane.server.setTls(await createServerIdentity(authority, ['127.0.0.1', 'localhost'], Date.now(), serial));
  expect([before === serial, await serialShown(rig)]).toEqual([false, serial]);
  const fresh = createClient(apiV2.VersionService, rig.channel());
  expect((await fresh.get({})).version?.version).not.toBe('');
  await rig.plane.stores.machines.edit(machineA, (machine) => {
    machine.allocation = create(apiV2.MachineAllocationSchema, {
      uuid: 'cccccccc-0000-4000-8000-00000000000c',
      name: 'web',
    });
  });
  expect((await first).value?.allocation?.name).toBe('web');
  await stream.return?.();
});

test('what was answered before a stop amid writes and streams is there after it, and the stop does not wait for clients', async () => {
  await using rig = await startRig();
  await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const waiting = failure(Array.fromAsync(createClient(infraV2.BootService, rig.admin).wait({ uuid: machineA })));
  await until(() => rig.plane.waitingRoom.isWaiting(machineA));
  const answered: string[] = [];
  const refused: ApiError[] = [];
  const write = async (client: number): Promise<void> => {
    const tenants = createClient(adminV2.TenantService, rig.channel(rig.adminToken));
    for (let number = 0; refused.length < 4; number += 1) {
      const name = `tenant-${client}-${number}`;
      try {
        await tenants.create({ name });
        answered.push(name);
      } catch (error) {
        refused.push(await failure(Promise.reject(error)));
        return;
      }
    }
  };
  const writers = [0, 1, 2, 3].map(write);
  await until(() => answered.length >= 40);
  const stoppedAt = performance.now();
  await rig.restart();
  await Promise.all(writers);
  // Three seconds for clients that do not go, and some for a busy host.
  expect(performance.now() - stoppedAt).toBeLessThan(10_000);
  // Its client would have stayed for ever.
  expect((await waiting).code).toBe(Code.Unavailable);
  for (const error of refused) expect([Code.Unavailable, Code.Canceled]).toContain(error.code);
  const { tenants } = await createClient(adminV2.TenantService, rig.admin).list({});
  const names = new Set(tenants.map(({ name }) => name));
  expect(answered.filter((name) => !names.has(name))).toEqual([]);
});

test('events in any order, twice and a hundred times keep what is kept of a machine small', async () => {
  await using rig = await startRig();
  const events = createClient(infraV2.EventService, rig.admin);
  const Type = apiV2.MachineProvisioningEventType;
  const types = Object.values(Type).filter((type) => type !== Type.UNSPECIFIED);
  const far = [0n, -62_135_596_800n, 253_402_300_799n];
  for (let round = 0; round < 12; round += 1) {
    for (const [index, event] of types.toReversed().entries()) {
      // Whatever time an event carries, it counts from when it comes in.
      const time = {
        $typeName: 'google.protobuf.Timestamp' as const,
        seconds: far[index % far.length] ?? 0n,
        nanos: 0,
      };
      await events.send({ events: { [machineA]: { event, message: `${'x'.repeat(9_000)}\u0000${round}`, time } } });
    }
  }
  const { machine } = await createClient(adminV2.MachineService, rig.admin).get({ uuid: machineA });
  const recent = machine?.recentProvisioningEvents;
  expect(recent?.events.length).toBeLessThanOrEqual(100);
  for (const { message, time } of recent?.events ?? []) {
    // The text of an event, and what the server itself says of it.
    expect(message.length).toBeLessThan(8_192 + 256);
    expect(Math.abs(Number(time?.seconds) * 1_000 - Date.now())).toBeLessThan(300_000);
  }
});
