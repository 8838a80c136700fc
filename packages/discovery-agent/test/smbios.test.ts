import { expect, test } from 'vitest';
import { dimmsOf } from '../src/inventory/dimms.ts';
import { parseEntryPoint, parseSmbios, readSmbios } from '../src/inventory/smbios.ts';
import { openSysfs } from '../src/sysfs.ts';
import { files } from './machines/parts.ts';
import {
  DimmType,
  dimm,
  emptySlot,
  encodeEntryPoint,
  encodeOldEntryPoint,
  encodeTable,
  memoryArray,
} from './machines/smbios-table.ts';
import type { DimmShape, StructureShape } from './machines/smbios-table.ts';
import { plant } from './tree.ts';

const module: DimmShape = {
  locator: 'DIMM_A1',
  bank: 'BANK 0',
  sizeMebibytes: 65_536,
  type: DimmType.ddr5,
  speedMts: 5600,
  configuredMts: 4800,
  manufacturer: 'Samsung',
  serial: 'S123',
  partNumber: 'M321R8GA0BB0-CQKZJ   ',
  dataBits: 64,
  totalBits: 80,
};
const dimmsOfTable = (...shapes: readonly StructureShape[]): ReturnType<typeof dimmsOf> =>
  dimmsOf(parseSmbios(encodeTable(shapes)));

test('a module is read with everything that the table tells of it', () => {
  expect(dimmsOfTable(memoryArray, dimm(module), emptySlot('DIMM_A2'))).toEqual({
    slots: 2,
    errorCorrection: 'multi-bit',
    dimms: [
      {
        locator: 'DIMM_A1',
        bank: 'BANK 0',
        sizeBytes: 64 * 2 ** 30,
        type: 'DDR5',
        speedMts: 5600,
        configuredMts: 4800,
        ranks: 2,
        ecc: true,
        manufacturer: 'Samsung',
        serial: 'S123',
        partNumber: 'M321R8GA0BB0-CQKZJ',
      },
    ],
  });
});

test.each([
  ['16 GiB', 16_384, 2 ** 34],
  ['32 GiB, which the old field cannot hold', 32_768, 2 ** 35],
  ['512 GiB', 524_288, 2 ** 39],
  ['16 TiB', 16_777_216, 2 ** 44],
])('a module of %s', (_, sizeMebibytes, sizeBytes) => {
  expect(dimmsOfTable(dimm({ ...module, sizeMebibytes })).dimms).toMatchObject([{ sizeBytes }]);
});

test('a module counted in KiB, one of unknown size, and one of a table before version 2.7', () => {
  const short = (size: number): StructureShape => ({ type: 17, length: 0x1b, fields: [{ at: 0x0c, word: size }] });
  expect(dimmsOfTable(short(0x8200), short(0xffff), short(4096)).dimms.map(({ sizeBytes }) => sizeBytes)).toEqual([
    512 * 1024,
    4 * 2 ** 30,
  ]);
});

test('a speed beyond the field is in the extended one', () => {
  const shape = dimm({ ...module, speedMts: 0xffff, configuredMts: 0xffff });
  const fields = [...shape.fields, { at: 0x54, dword: 70_400 }, { at: 0x58, dword: 67_200 }];
  expect(dimmsOfTable({ ...shape, fields }).dimms).toMatchObject([{ speedMts: 70_400, configuredMts: 67_200 }]);
});

test.each([
  [64, 64, false],
  [72, 64, true],
  [0, 64, undefined],
  [0xffff, 0xffff, undefined],
])('a module of %i bits in total and %i of data corrects errors: %s', (totalBits, dataBits, ecc) => {
  expect(dimmsOfTable(dimm({ ...module, totalBits, dataBits })).dimms[0]?.ecc).toBe(ecc);
});

test('what firmware writes instead of nothing is nothing', () => {
  const shape = { ...module, bank: 'Not Specified', serial: '00000000', manufacturer: 'Unknown', partNumber: ' ' };
  expect(dimmsOfTable(dimm(shape)).dimms).toMatchObject([{ bank: '', serial: '', manufacturer: '', partNumber: '' }]);
});

test('the flash chip of the firmware is no memory', () => {
  const flash: StructureShape = { type: 16, length: 0x17, handle: 0x1000, fields: [{ at: 0x05, byte: 5 }] };
  expect(dimmsOfTable(flash, dimm({ ...module, sizeMebibytes: 16 }))).toMatchObject({ dimms: [], slots: 0 });
});

test('entry points of both kinds tell version and length, and are not believed with a wrong checksum or cut', () => {
  expect(parseEntryPoint(encodeEntryPoint(3, 5, 12_345))).toEqual({ version: '3.5', maxBytes: 12_345 });
  expect(parseEntryPoint(encodeOldEntryPoint(2, 8, 4321))).toEqual({ version: '2.8', maxBytes: 4321 });
  for (const encode of [encodeEntryPoint, encodeOldEntryPoint]) {
    const bytes = encode(2, 8, 4321);
    for (let length = 0; length < bytes.length; length++)
      expect(parseEntryPoint(bytes.subarray(0, length))).toBeUndefined();
    bytes[8] = 0x55;
    expect(parseEntryPoint(bytes)).toBeUndefined();
  }
});

test('the table ends where the entry point says, or by itself when that is not to be believed', () => {
  const table = encodeTable([dimm(module), dimm(module)]);
  const count = (entryPoint: Uint8Array): number => {
    using machine = plant(files('/sys/firmware/dmi/tables', { DMI: table, smbios_entry_point: entryPoint }));
    return dimmsOf(readSmbios(openSysfs(machine.root))).slots;
  };
  expect(count(encodeEntryPoint(3, 5, table.length))).toBe(2);
  expect(count(encodeEntryPoint(3, 5, table.length / 2))).toBe(1);
  expect(count(Uint8Array.of(1, 2, 3))).toBe(2);
});
