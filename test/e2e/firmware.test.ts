import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFirmwareRack } from './firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack, Leaf } from './firmware-rack.ts';
import { grubConfiguration } from './grub-files.ts';
import { leftovers } from './rack-under-test.ts';

const rackName = 'fw';

describe('a boot server that leases the addresses', () => {
  let rack: FirmwareRack;
  let server: BootServerUnderTest;
  let leaf: Leaf;
  beforeAll(async () => {
    rack = await createFirmwareRack(rackName);
    server = await rack.startBootServer({
      name: 'boot-server',
      namespace: rack.management,
      address: '10.0.0.1',
      change: { ipxe: { chainRoms: true } },
    });
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

  test('boots SeaBIOS from the iPXE in its ROM through our undionly.kpxe, loaded once', async () => {
    const machine = await rack.createMachine('bios-chain', 'bios', [leaf]);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid });
    expect(server.story(machine.mac)).toEqual([
      'dhcp.offer',
      'dhcp.ack',
      'tftp.start',
      'tftp.done',
      'http.script',
      'http.file',
      'http.booting',
    ]);
    const loaded = server.events.filter(({ event, mac }) => event === 'tftp.done' && mac === machine.mac);
    expect(loaded.map(({ file }) => file)).toEqual(['undionly.kpxe']);
  });
});

describe('a boot server that hands out shim and GRUB', () => {
  let rack: FirmwareRack;
  let server: BootServerUnderTest;
  let leaf: Leaf;
  beforeAll(async () => {
    rack = await createFirmwareRack(rackName);
    server = await rack.startBootServer({
      name: 'boot-server',
      namespace: rack.management,
      address: '10.0.0.1',
      change: grubConfiguration(rack.bench.directory),
    });
    leaf = await rack.createLeaf(1, ['10.0.0.1']);
  });
  afterAll(async () => {
    await rack[Symbol.asyncDispose]();
    expect(leftovers(rackName)).toEqual([]);
  });

  /** Boot loaders in the order in which the machine had them. */
  function loadedBy(mac: string): readonly unknown[] {
    return server.events
      .filter((event) => event.event === 'tftp.done' && event.mac === mac && String(event['file']).endsWith('.efi'))
      .map(({ file }) => file);
  }

  test('boots OVMF with Secure Boot on, through shim and GRUB, and the guest sees it on', async () => {
    const machine = await rack.createMachine('secure-boot', 'uefi-secure-boot', [leaf]);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid, secureboot: 'enabled' });
    expect(marker.cmdline).toContain('profile=secure-boot');
    expect(loadedBy(machine.mac)).toEqual(['shimx64.efi', 'grubx64.efi']);
    // GRUB's own report: its verifier lets the comment pass that it reads for it.
    expect(server.story(machine.mac)).toContain('http.booting');
  });

  test('boots a 64-bit kernel on UEFI of 32 bits, through GRUB', async () => {
    const machine = await rack.createMachine('ia32', 'uefi-ia32', [leaf]);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid, secureboot: 'disabled' });
    expect(marker.cmdline).toContain('profile=ia32');
    expect(loadedBy(machine.mac)).toEqual(['grubia32.efi']);
    expect(server.story(machine.mac)).toContain('http.booting');
  });

  test('boots an ARM machine through GRUB', async () => {
    const machine = await rack.createMachine('arm64', 'uefi-arm64', [leaf]);
    const marker = await machine.boots();
    expect(marker).toMatchObject({ machine: 'aarch64', uuid: machine.machine.uuid });
    expect(marker.cmdline).toContain('profile=arm64');
    expect(server.story(machine.mac)).toContain('http.booting');
  });

  test('boots U-Boot, which loads GRUB as an EFI program', async () => {
    const machine = await rack.createMachine('u-boot', 'u-boot-arm64', [leaf]);
    const marker = await machine.boots();
    expect(marker.machine).toBe('aarch64');
    expect(marker.cmdline).toContain('profile=arm64');
    // U-Boot for QEMU has this address built in, and does not ask the card.
    expect(loadedBy('52:52:52:52:52:52')).toEqual(['grubaa64.efi']);
  });
});
