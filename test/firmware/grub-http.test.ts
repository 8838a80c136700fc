import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchArm64Files } from '../e2e/arm64-packages.ts';
import type { Firmware } from '@ingot/lab';
import { createFirmwareRack } from '../e2e/firmware-rack.ts';
import type { BootServerUnderTest, FirmwareRack } from '../e2e/firmware-rack.ts';
import { buildMarkerInitrd } from '../e2e/marker-initrd.ts';
import { leftovers } from '../e2e/rack-under-test.ts';
import { buildHttpGrub } from '../support/grub-image.ts';
import { image } from '../support/image.ts';

// Debian's builds of GRUB load by TFTP. What it takes to have them, or another build, load by HTTP.

const rackName = 'grubhttp';
const ia32Modules = '/usr/lib/grub/i386-efi';

let rack: FirmwareRack;
beforeEach(async () => {
  rack = await createFirmwareRack(rackName);
}, 600_000);
afterEach(async () => {
  await rack[Symbol.asyncDispose]();
  expect(leftovers(rackName)).toEqual([]);
});

interface Boots {
  readonly kernel: string;
  readonly initrd: string;
  /** As `uname -m` has it. */
  readonly machine: string;
}

function amd64(): Boots {
  return { kernel: image.kernel, initrd: buildMarkerInitrd('initrd-amd64', '/bin/busybox'), machine: 'x86_64' };
}

function arm64(): Boots {
  const { kernel, busybox } = fetchArm64Files();
  return { kernel, initrd: buildMarkerInitrd('initrd-arm64', busybox), machine: 'aarch64' };
}

function serving({ kernel, initrd }: Boots, change: Readonly<Record<string, unknown>>): Promise<BootServerUnderTest> {
  return rack.startBootServer({
    name: 'boot-server',
    namespace: rack.management,
    address: '10.0.0.1',
    change: {
      artifacts: { roots: [dirname(kernel), dirname(initrd), rack.bench.directory] },
      sources: { profiles: { inline: [{ name: 'all', kernel, initrd, cmdline: 'quiet profile=all' }] } },
      ...change,
    },
  });
}

const filesByTftp = ({ events }: BootServerUnderTest, mac: string): readonly unknown[] =>
  events.filter((event) => event.event === 'tftp.done' && event.mac === mac).map(({ file }) => file);

test('a 32-bit UEFI machine that came by PXE finds http.mod in tftp.root', async () => {
  const root = join(rack.bench.directory, 'tftp');
  mkdirSync(join(root, 'grub'), { recursive: true });
  cpSync(ia32Modules, join(root, 'grub/i386-efi'), { recursive: true });
  const server = await serving(amd64(), { ipxe: { files: { efiIa32: 'grubia32.efi' } }, tftp: { root } });
  const machine = await rack.createMachine('pxe', 'uefi-ia32', ['management']);
  const marker = await machine.boots();
  expect(marker).toMatchObject({ machine: 'x86_64', uuid: machine.machine.uuid });
  expect(marker.cmdline).toContain('BOOT_IMAGE=(http,10.0.0.1:8080)/');
  expect(filesByTftp(server, machine.mac)).toContain('grub/i386-efi/http.mod');
});

interface HttpBoot {
  readonly firmware: Firmware;
  /** Its key in `ipxe.files`. */
  readonly kind: string;
  readonly boots: () => Boots;
  readonly modules: () => string;
}

const httpBoots: readonly HttpBoot[] = [
  { firmware: 'uefi-http-ia32', kind: 'efiIa32', boots: amd64, modules: () => ia32Modules },
  { firmware: 'uefi-http-arm64', kind: 'efiArm64', boots: arm64, modules: () => fetchArm64Files().grubModules },
];
test.each(httpBoots)('$firmware goes on by HTTP with a GRUB of the operator’s own', async (each) => {
  const { firmware, kind, modules } = each;
  const boots = each.boots();
  const loader = join(rack.bench.directory, 'own.efi');
  buildHttpGrub(loader, modules(), '10.0.0.1:8080');
  const server = await serving(boots, { ipxe: { files: { [kind]: 'own.efi' }, loaders: { 'own.efi': loader } } });
  const machine = await rack.createMachine(firmware, firmware, ['management']);
  const marker = await machine.boots();
  expect(marker).toMatchObject({ machine: boots.machine, uuid: machine.machine.uuid });
  expect(marker.cmdline).toContain('BOOT_IMAGE=(http,10.0.0.1:8080)/');
  expect(server.story(machine.mac)).toContain('http.booting');
  expect(filesByTftp(server, machine.mac)).toEqual([]);
});
