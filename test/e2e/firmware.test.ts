import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchArm64Files } from './arm64-packages.ts';
import { createFirmwareRack } from './firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack, Leaf } from './firmware-rack.ts';
import { buildMarkerInitrd } from './marker-initrd.ts';
import { image, leftovers, prepareImage } from './rack-under-test.ts';

const rackName = 'fw';

beforeAll(prepareImage, 600_000);

describe('a boot server that leases the addresses', () => {
  let rack: FirmwareRack;
  let server: BootServerUnderTest;
  let leaf: Leaf;
  beforeAll(async () => {
    rack = await createFirmwareRack(rackName);
    server = await rack.startBootServer({ name: 'boot-server', namespace: rack.management, address: '10.0.0.1' });
    leaf = await rack.createLeaf(1, ['10.0.0.1']);
  });
  afterAll(async () => {
    await rack[Symbol.asyncDispose]();
    expect(leftovers(rackName)).toEqual([]);
  });

  test('boots OVMF by PXE on its own link', async () => {
    const machine = await rack.createMachine('uefi-direct', 'uefi', ['management']);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid });
    expect(marker.cmdline).toContain(`BOOTIF=01-${machine.mac.replaceAll(':', '-')}`);
    expect(server.story(machine.mac)).toEqual([
      'dhcp.offer',
      'dhcp.ack',
      'tftp.start',
      'tftp.probed',
      'tftp.done',
      'http.script',
      'http.file',
      'http.booting',
    ]);
  });

  test('boots OVMF by UEFI HTTP boot through a relay, without a byte of TFTP', async () => {
    const machine = await rack.createMachine('uefi-http', 'uefi-http', [leaf]);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid });
    // Its loader, and later the kernel and the initrd, are files; none of them came by TFTP.
    expect(server.story(machine.mac)).toEqual(['dhcp.offer', 'dhcp.ack', 'http.file', 'http.script', 'http.booting']);
  });

  test('boots SeaBIOS on its own link', async () => {
    const machine = await rack.createMachine('bios-direct', 'bios', ['management']);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid });
    expect(server.story(machine.mac)).toEqual(['dhcp.offer', 'dhcp.ack', 'http.script', 'http.file', 'http.booting']);
  });
});

/** What GRUB is told; the same for every machine. */
const grubConfig = `
if [ "$grub_cpu" = arm64 ]; then
  linux /vmlinuz-arm64 console=ttyAMA0,115200 quiet via=grub
  initrd /initrd-arm64
else
  linux /vmlinuz-amd64 console=ttyS0,115200 quiet via=grub
  initrd /initrd-amd64
fi
boot
`;

/** Debian's signed loaders, and beside them what they ask for. */
function publishGrub(directory: string): { readonly loaders: string; readonly root: string } {
  const loaders = join(directory, 'loaders');
  const root = join(directory, 'tftp');
  mkdirSync(loaders);
  mkdirSync(join(root, 'grub'), { recursive: true });
  const arm64 = fetchArm64Files();
  const copies = [
    ['/usr/lib/shim/shimx64.efi.signed', join(loaders, 'shimx64.efi')],
    ['/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed', join(root, 'grubx64.efi')],
    [arm64.grub, join(loaders, 'grubaa64.efi')],
    [image.kernel, join(root, 'vmlinuz-amd64')],
    [buildMarkerInitrd('initrd-amd64', '/bin/busybox'), join(root, 'initrd-amd64')],
    [buildMarkerInitrd('initrd-arm64', arm64.busybox), join(root, 'initrd-arm64')],
  ] as const;
  for (const [from, to] of copies) copyFileSync(from, to);
  // Debian's arm64 kernel is not compressed; GRUB fetches in small blocks, and unpacks by itself.
  writeFileSync(join(root, 'vmlinuz-arm64'), gzipSync(readFileSync(arm64.kernel), { level: 6 }));
  writeFileSync(join(root, 'grub/grub.cfg'), grubConfig);
  return { loaders, root };
}

describe('a boot server that hands out shim and GRUB', () => {
  let rack: FirmwareRack;
  let leaf: Leaf;
  beforeAll(async () => {
    rack = await createFirmwareRack(rackName);
    const { loaders, root } = publishGrub(rack.bench.directory);
    await rack.startBootServer({
      name: 'boot-server',
      namespace: rack.management,
      address: '10.0.0.1',
      change: {
        ipxe: { directory: loaders, files: { efiX64: 'shimx64.efi', efiArm64: 'grubaa64.efi' } },
        tftp: { root },
      },
    });
    leaf = await rack.createLeaf(1, ['10.0.0.1']);
  });
  afterAll(async () => {
    await rack[Symbol.asyncDispose]();
    expect(leftovers(rackName)).toEqual([]);
  });

  test('boots OVMF with Secure Boot on, through shim and GRUB, and the guest sees it on', async () => {
    const machine = await rack.createMachine('secure-boot', 'uefi-secure-boot', [leaf]);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid, secureboot: 'enabled' });
    expect(marker.cmdline).toContain('via=grub');
  });

  test('boots an ARM machine through GRUB', async () => {
    const machine = await rack.createMachine('arm64', 'uefi-arm64', [leaf]);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'aarch64', uuid: machine.machine.uuid });
    expect(marker.cmdline).toContain('via=grub');
  });
});
