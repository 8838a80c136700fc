import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFirmwareRack } from './firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack, Leaf } from './firmware-rack.ts';
import { leftovers } from './rack-under-test.ts';

const rackName = 'lossy';
const impairment = { dropPercent: 5, duplicatePercent: 5, reorderPercent: 5, seed: 7 };

let rack: FirmwareRack;
let server: BootServerUnderTest;
let leaf: Leaf;
beforeAll(async () => {
  rack = await createFirmwareRack(rackName);
  server = await rack.startBootServer({ name: 'boot-server', namespace: rack.management, address: '10.0.0.1' });
  leaf = await rack.createLeaf(1, ['10.0.0.1'], impairment);
}, 600_000);
afterAll(async () => {
  await rack[Symbol.asyncDispose]();
  expect(leftovers(rackName)).toEqual([]);
});

test('boots OVMF over a path that loses, doubles and reorders a twentieth of the frames each way', async () => {
  const machine = await rack.createMachine('uefi-lossy', 'uefi', [leaf]);
  const marker = await machine.boots(280_000);
  expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid });
  expect(server.story(machine.mac)).toContain('tftp.done');
  const counts = await leaf.cable?.stop();
  expect(counts?.aToB.dropped).toBeGreaterThan(0);
  expect(counts?.bToA.dropped).toBeGreaterThan(0);
});
