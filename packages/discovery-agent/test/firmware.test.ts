import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeInventory } from '../src/inventory/inventory.ts';
import type { Inventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';
import { dmi, tpm, uefi } from './machines/firmware.ts';
import { memory } from './machines/memory.ts';
import { files, merge } from './machines/parts.ts';
import { smbios, tpmDevice } from './machines/smbios-table.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

function inventoryOf(...trees: readonly Tree[]): Inventory {
  using machine = plant(merge(...trees));
  return takeInventory(openSysfs(machine.root));
}

test.each([
  ['on', uefi(true, false), 'on'],
  ['off', uefi(false, false), 'off'],
  ['without a platform key', uefi(false, true), 'setup'],
  ['booted by a BIOS', {}, 'unsupported'],
  ['a UEFI that does not know it', files('/sys/firmware/efi/efivars', { 'Lang-x': 'eng' }), 'unsupported'],
  ['variables that are not mounted', files('/sys/firmware/efi', { fw_platform_size: 64 }), 'unknown'],
])('Secure Boot, %s', (_, tree, expected) => {
  const { firmware, problems } = inventoryOf(tree);
  expect(firmware.secureBoot).toBe(expected);
  expect(problems.some((problem) => problem.startsWith('firmware: Secure Boot is unknown'))).toBe(
    expected === 'unknown',
  );
});

test('a variable of Secure Boot that is cut is as none', () => {
  const name = 'SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
  expect(inventoryOf(files('/sys/firmware/efi/efivars', { [name]: Uint8Array.of(6, 0, 0) })).firmware.secureBoot).toBe(
    'unsupported',
  );
});

test.each([
  ['1', 'Other'],
  ['23', 'Rack Mount Chassis'],
  ['28', 'Blade'],
  ['99', '99'],
  ['', ''],
])('a chassis of type %j is %j', (chassis_type, expected) => {
  expect(inventoryOf(dmi({ chassis_type })).firmware.chassis.name).toBe(expected);
});

const acpi = '/sys/devices/LNXSYSTM:00/LNXSYBUS:00/MSFT0101:00';

test('a TPM 1.2 says everything itself', () => {
  const caps = 'Manufacturer: 0x49465800\nTCG version: 1.2\nFirmware version: 133.32';
  expect(inventoryOf(tpm(acpi, 'tpm_tis', { tpm_version_major: 1, caps })).tpms).toEqual([
    { name: 'tpm0', version: '1.2', vendor: 'Infineon', firmware: '133.32', driver: 'tpm_tis' },
  ]);
});

test('of a TPM 2.0 SMBIOS says whose it is', () => {
  const table = smbios(3, 2, [tpmDevice('NTC', 2, 0, [7, 2])]);
  expect(inventoryOf(tpm(acpi, 'tpm_crb', { tpm_version_major: 2 }), table).tpms).toEqual([
    { name: 'tpm0', version: '2.0', vendor: 'Nuvoton', firmware: '7.2', driver: 'tpm_crb' },
  ]);
  expect(inventoryOf(tpm(acpi, 'tpm_crb', { tpm_version_major: 2 })).tpms).toMatchObject([
    { vendor: '', firmware: '' },
  ]);
});

test('before Linux 5.6 the description tells the version', () => {
  const description = files(acpi, { description: 'TPM 2.0 Device' });
  expect(inventoryOf(tpm(acpi, 'tpm_crb', {}), description).tpms).toMatchObject([{ version: '2.0' }]);
});

test('memory without blocks is that of the firmware map, then what the kernel manages', () => {
  const map = merge(
    files('/sys/firmware/memmap/0', { start: '0x0', end: '0x9ffff', type: 'System RAM' }),
    files('/sys/firmware/memmap/1', { start: '0xa0000', end: '0xfffff', type: 'Reserved' }),
    files('/sys/firmware/memmap/2', { start: '0x100000', end: '0xbfffffff', type: 'System RAM' }),
  );
  const meminfo = files('/proc', { meminfo: 'MemTotal:       3000000 kB' });
  expect(inventoryOf(map, meminfo).memory).toMatchObject({ sizeBytes: 0xc000_0000 - 0x60000, source: 'memmap' });
  expect(inventoryOf(meminfo).memory).toMatchObject({ sizeBytes: 3_072_000_000, source: 'meminfo' });
});

test('a memory block that is offline does not count, neither for the machine nor for its node', () => {
  const tree = memory(2 ** 27, [
    { cpus: '0', blocks: 4, distances: [10, 20] },
    { cpus: '', blocks: 4, distances: [20, 10] },
  ]);
  const inventory = inventoryOf(tree, files('/sys/devices/system/memory/memory7', { state: 'offline' }));
  expect(inventory.memory).toMatchObject({ sizeBytes: 7 * 2 ** 27, source: 'blocks' });
  expect(inventory.numa).toEqual([
    { node: 0, cpus: '0', sizeBytes: 4 * 2 ** 27, distances: [10, 20] },
    { node: 1, cpus: '', sizeBytes: 3 * 2 ** 27, distances: [20, 10] },
  ]);
});

test('a memory block without memory, as arm64 makes of the firmware’s flash, does not count', () => {
  const tree = memory(2 ** 27, [{ cpus: '0', blocks: 3, distances: [10] }]);
  const flash = '00000000-07ffffff : reserved\n09000000-09000fff : ARMH0011:00\n';
  const ram = '08000000-0c43ffff : System RAM\n  0817c000-0817cfff : reserved\n0c440000-0c72ffff : reserved\n';
  const more = '10000000-17ffffff : CXL Window 0\n  10000000-17ffffff : System RAM (kmem)\n';
  const sizeOf = (iomem: string): number => inventoryOf(tree, files('/proc', { iomem })).memory.sizeBytes;
  expect(sizeOf(flash + ram + more)).toBe(2 * 2 ** 27);
  // To anybody but root every address is 0.
  expect(sizeOf('00000000-00000000 : reserved\n00000000-00000000 : System RAM\n')).toBe(3 * 2 ** 27);
});

test('what only root may read is said, and the rest is told', () => {
  using machine = plant(dmi({ product_uuid: '5e8d8000-6b3c-11ee-8000-7cc255000001', sys_vendor: 'Supermicro' }));
  const secret = '/sys/devices/virtual/dmi/id/product_uuid';
  chmodSync(machine.root, 0o755);
  chmodSync(join(machine.root, secret), 0o000);
  const inventory = asNobody(() => takeInventory(openSysfs(machine.root)));
  expect(inventory.firmware).toMatchObject({ uuid: undefined, system: { vendor: 'Supermicro' } });
  expect(inventory.problems).toContain('only root may read /sys/class/dmi/id/product_uuid');
});

/** Whoever runs the tests without being root owns the files, and may read none of mode 000 either. */
function asNobody<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}
