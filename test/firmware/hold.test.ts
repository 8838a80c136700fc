import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createFirmwareRack } from '../e2e/firmware-rack.ts';
import type { FirmwareRack } from '../e2e/firmware-rack.ts';
import { buildMarkerInitrd, markerLine, parseMarker } from '../e2e/marker-initrd.ts';
import { leftovers } from '../e2e/rack-under-test.ts';
import { image } from '../support/image.ts';

const rackName = 'hold';
const timeoutMs = 240_000;

let rack: FirmwareRack;
beforeEach(async () => {
  rack = await createFirmwareRack(rackName);
});
afterEach(async () => {
  await rack[Symbol.asyncDispose]();
});
afterAll(() => expect(leftovers(rackName)).toEqual([]));

function profile(plan: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { sources: { profiles: { inline: [{ name: 'all', ...plan }] } } };
}

test.each(['bios', 'uefi'] as const)(
  'a %s machine on hold shows why, asks again by itself, and boots when the profile is changed',
  async (firmware) => {
    const server = await rack.startBootServer({
      name: 'boot-server',
      namespace: rack.management,
      address: '10.0.0.1',
      change: profile({ boot: 'hold', message: 'Memory is being replaced, ticket 7.' }),
    });
    const { machine, mac } = await rack.createMachine(firmware, firmware, ['management']);
    await machine.on();
    await machine.says(/^Memory is being replaced, ticket 7\.$/, timeoutMs);
    const initrd = buildMarkerInitrd('initrd-amd64', '/bin/busybox');
    server.reload(profile({ kernel: image.kernel, initrd, cmdline: 'quiet repaired' }));
    expect(parseMarker(await machine.says(markerLine, timeoutMs)).cmdline).toContain('repaired');
    expect(server.story(mac)).toContain('http.booting');
  },
);

test("shim's GRUB shows the message of a hold", async () => {
  const server = await rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: profile({ loader: 'shimx64.efi', boot: 'hold', message: 'Memory is being replaced, ticket 7.' }),
  });
  const { machine, mac } = await rack.createMachine('secure-boot', 'uefi-secure-boot', ['management']);
  await machine.on();
  await machine.says(/^Memory is being replaced, ticket 7\.$/, timeoutMs);
  expect(server.story(mac)).toContain('http.script');
});
