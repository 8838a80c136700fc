import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchArm64Files } from '../e2e/arm64-packages.ts';
import { createFirmwareRack } from '../e2e/firmware-rack.ts';
import type { FirmwareRack } from '../e2e/firmware-rack.ts';
import { buildMarkerInitrd, markerLine, parseMarker } from '../e2e/marker-initrd.ts';
import { leftovers } from '../e2e/rack-under-test.ts';

const rackName = 'uboot';
const timeoutMs = 180_000;
/** U-Boot for QEMU has it built in, and does not ask the card. */
const mac = '52:52:52:52:52:52';

let rack: FirmwareRack;
beforeAll(async () => {
  rack = await createFirmwareRack(rackName);
}, 600_000);
afterAll(async () => {
  await rack[Symbol.asyncDispose]();
  expect(leftovers(rackName)).toEqual([]);
});

test("U-Boot's own pxe command takes its configuration, kernel and initrd from TFTP", async () => {
  const { kernel, busybox } = fetchArm64Files();
  const initrd = buildMarkerInitrd('initrd-arm64', busybox);
  const server = await rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: {
      artifacts: { roots: [dirname(kernel), dirname(initrd)] },
      sources: { profiles: { inline: [{ name: 'pxe', kernel, initrd, cmdline: 'quiet profile=pxe' }] } },
    },
  });
  const { machine } = await rack.createMachine('pxe', 'u-boot-arm64', ['management']);
  await machine.on();
  await machine.says(/^Net:/, timeoutMs);
  // Any key stops the countdown.
  machine.types(' \r');
  machine.types('dhcp; pxe get; pxe boot\r');
  const marker = parseMarker(await machine.says(markerLine, timeoutMs));
  expect(marker.machine).toBe('aarch64');
  expect(marker.cmdline).toContain('profile=pxe');
  expect(server.story(mac)).toContain('http.script');
});
