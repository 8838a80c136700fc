import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchArm64Files } from '../e2e/arm64-packages.ts';
import { createFirmwareRack } from '../e2e/firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack } from '../e2e/firmware-rack.ts';
import { grubConfiguration } from '../e2e/grub-files.ts';
import { buildMarkerInitrd, markerLine, parseMarker } from '../e2e/marker-initrd.ts';
import { leftovers, prepareImage } from '../e2e/rack-under-test.ts';

const rackName = 'uboot';
const timeoutMs = 180_000;
/** U-Boot for QEMU has it built in, and does not ask the card. */
const mac = '52:52:52:52:52:52';

let rack: FirmwareRack;
let server: BootServerUnderTest;
beforeAll(async () => {
  prepareImage();
  rack = await createFirmwareRack(rackName);
  server = await rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: grubConfiguration(rack.bench.directory),
  });
}, 600_000);
afterAll(async () => {
  await rack[Symbol.asyncDispose]();
  expect(leftovers(rackName)).toEqual([]);
});

test('U-Boot left to itself loads GRUB as an EFI program, and that the kernel', async () => {
  const { machine } = await rack.createMachine('efi', 'u-boot-arm64', ['management']);
  await machine.on();
  const marker = parseMarker(await machine.says(markerLine, timeoutMs));
  expect(marker.machine).toBe('aarch64');
  expect(marker.cmdline).toContain('profile=arm64');
  expect(server.story(mac)).toContain('http.booting');
});

test("U-Boot's own pxe command takes its configuration, kernel and initrd from TFTP", async () => {
  const arm64 = fetchArm64Files();
  const initrd = buildMarkerInitrd('initrd-arm64', arm64.busybox);
  const inline = [{ name: 'pxe', kernel: arm64.kernel, initrd, cmdline: 'quiet profile=pxe' }];
  const roots = [rack.bench.directory, arm64.kernel, initrd].map((path) => path.replace(/[^/]+$/, ''));
  server.reload({ artifacts: { roots }, sources: { profiles: { inline } } });
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
