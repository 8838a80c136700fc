import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { inventoryLines } from '../src/inventory-text.ts';
import { inventoryTags } from '../src/inventory-tags.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import { parseSmbios } from '../src/inventory/smbios.ts';
import { machineHardware } from '../src/machine-hardware.ts';
import type { Sysfs } from '../src/sysfs.ts';
import { cpus, x86 } from './machines/cpus.ts';
import { memory } from './machines/memory.ts';
import { files, merge } from './machines/parts.ts';
import { pciIds } from './machines/pci-ids.ts';
import { Range, pci } from './machines/pci.ts';
import { DimmType, dimm, encodeEntryPoint, encodeTable, memoryArray, processor } from './machines/smbios-table.ts';
import { memorySysfs } from './memory-sysfs.ts';
import type { Tree } from './tree.ts';

const gpu = pci({
  path: ['pci0000:40', '0000:41:00.0'],
  ids: [0x10de, 0x2330],
  board: [0x10de, 0x16c1],
  classId: 0x030200,
  link: ['32.0', 16, '32.0', 16],
  ranges: [[2 ** 37, Range.prefetchable64]],
});
const device = '/sys/devices/pci0000:40/0000:41:00.0';
const table = encodeTable([
  processor('CPU1', 'Intel', 'Xeon', 4000),
  memoryArray,
  dimm({
    locator: 'A1',
    bank: 'B',
    sizeMebibytes: 65_536,
    type: DimmType.ddr5,
    speedMts: 5600,
    configuredMts: 4800,
    manufacturer: 'Samsung',
    serial: 'S',
    partNumber: 'P',
  }),
]);
const machine: Tree = merge(
  cpus({ sockets: 1, coresPerSocket: 2, threadsPerCore: 2, cpuinfo: x86('GenuineIntel', 'Xeon', '0x1') }),
  memory(2 ** 27, [{ cpus: '0-3', blocks: 4, distances: [10] }]),
  gpu,
  files('/sys/firmware/dmi/tables', { DMI: table, smbios_entry_point: encodeEntryPoint(3, 3, table.length) }),
  files('/usr/share/misc', { 'pci.ids': pciIds }),
);

/** What a collector says on purpose; all else is an exception that it did not see coming. */
const meant =
  /^(firmware: no usable UUID|firmware: Secure Boot is unknown|cpus: (none found|logical processors|SMBIOS lists)|memory: neither|storage: no driver|nics: \S+ has the address)/;

/** Everything that an inventory goes through afterwards must take it, too. */
function useAll(sysfs: Sysfs): number {
  const inventory = takeInventory(sysfs);
  expect(inventory.problems.filter((problem) => !meant.test(problem))).toEqual([]);
  machineHardware(inventory, []);
  inventoryLines(inventory, []);
  inventoryTags(inventory);
  return JSON.stringify(inventory).length;
}

/** A real file's bytes, some of them changed, a piece cut out or repeated. */
function spoiled(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat({ max: original.length });
  return fc
    .tuple(fc.array(fc.tuple(at, fc.nat({ max: 255 })), { maxLength: 8 }), at, at, fc.nat({ max: 3 }))
    .map(([changes, from, to, times]) => {
      const bytes = Buffer.from(original);
      for (const [index, value] of changes) if (index < bytes.length) bytes[index] = value;
      const piece = bytes.subarray(Math.min(from, to), Math.max(from, to));
      return Buffer.concat([bytes.subarray(0, from), ...Array<Buffer>(times).fill(piece), bytes.subarray(to)]);
    });
}

const bytesOf = (path: string): Uint8Array => {
  const content = machine[path];
  return typeof content === 'string'
    ? Buffer.from(content)
    : content instanceof Uint8Array
      ? content
      : new Uint8Array();
};

/** Integers at the ends of what sysfs, or someone who plays sysfs, may say. */
const oddText = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.constantFrom('', '-1', '0x', '0xffffffffffffffff', '9'.repeat(400), '0-4294967295', '1e309', '-', '\0', '../..'),
);

const paths = Object.keys(machine).filter((path) => !('link' in Object(machine[path])));

test.each([
  '/sys/firmware/dmi/tables/DMI',
  '/sys/firmware/dmi/tables/smbios_entry_point',
  '/proc/cpuinfo',
  '/usr/share/misc/pci.ids',
  `${device}/resource`,
])('%s, spoiled, costs its part at most', (path) => {
  const original = bytesOf(path);
  expect(original.length).toBeGreaterThan(0);
  fc.assert(
    fc.property(fc.oneof(spoiled(original), fc.uint8Array({ maxLength: 600 })), (bytes) => {
      expect(useAll(memorySysfs({ ...machine, [path]: bytes }))).toBeLessThan(1_000_000);
    }),
    { numRuns: 200 },
  );
});

test('any files with any texts are an inventory', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...paths), oddText, { maxKeys: 12 }), (changes) => {
      expect(useAll(memorySysfs({ ...machine, ...changes }))).toBeLessThan(1_000_000);
    }),
    { numRuns: 300 },
  );
});

test('readers that fail cost their part, which is named', () => {
  const sysfs = memorySysfs(machine);
  const broken: Sysfs = {
    ...sysfs,
    list(path) {
      if (path.startsWith('/sys/devices/system/cpu')) throw new Error('device is on fire');
      return sysfs.list(path);
    },
  };
  const inventory = takeInventory(broken);
  expect(inventory.cpus).toEqual([]);
  expect(inventory.problems).toContain('cpus: device is on fire');
  expect({ ...inventory, cpus: [], problems: [] }).toEqual({ ...takeInventory(sysfs), cpus: [], problems: [] });
});

test('a table of nothing but tiny structures is read no further than any machine has some', () => {
  const many = Buffer.concat(Array<Buffer>(100_000).fill(Buffer.from([17, 4, 0, 0, 0, 0])));
  expect(parseSmbios(many)).toHaveLength(8192);
});
