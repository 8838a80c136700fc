import type { Tree } from '../tree.ts';
import { files } from './parts.ts';

type Field =
  | { readonly at: number; readonly byte: number }
  | { readonly at: number; readonly word: number }
  | { readonly at: number; readonly dword: number }
  | { readonly at: number; readonly text: string };

/** One structure as firmware lays it out (DMTF DSP0134 6.1); the handle is its place in the table. */
export interface StructureShape {
  readonly type: number;
  readonly length: number;
  readonly fields: readonly Field[];
  readonly handle?: number;
}

function encodeStructure({ type, length, fields, handle = 0 }: StructureShape): Buffer {
  const data = Buffer.alloc(length);
  data.set([type, length]);
  data.writeUInt16LE(handle, 2);
  const strings: string[] = [];
  for (const field of fields) {
    if ('byte' in field) data.writeUInt8(field.byte, field.at);
    else if ('word' in field) data.writeUInt16LE(field.word, field.at);
    else if ('dword' in field) data.writeUInt32LE(field.dword, field.at);
    else data.writeUInt8(strings.push(field.text), field.at);
  }
  const set = strings.length === 0 ? '\0\0' : `${strings.join('\0')}\0\0`;
  return Buffer.concat([data, Buffer.from(set, 'latin1')]);
}

export function encodeTable(structures: readonly StructureShape[]): Buffer {
  const all = [...structures, { type: 127, length: 4, fields: [] }];
  return Buffer.concat(all.map((structure, handle) => encodeStructure({ handle, ...structure })));
}

/** 64-bit entry point, 5.2.2. */
export function encodeEntryPoint(major: number, minor: number, tableBytes: number): Buffer {
  const bytes = Buffer.alloc(0x18);
  bytes.write('_SM3_', 'latin1');
  bytes.set([0, 0x18, major, minor, 0, 1], 5);
  bytes.writeUInt32LE(tableBytes, 0x0c);
  return withChecksum(bytes, 5);
}

/** 32-bit entry point, 5.2.1; its second half is the one of the DMI that came before. */
export function encodeOldEntryPoint(major: number, minor: number, tableBytes: number): Buffer {
  const bytes = Buffer.alloc(0x1f);
  bytes.write('_SM_', 'latin1');
  bytes.set([0, 0x1f, major, minor], 4);
  bytes.write('_DMI_', 0x10, 'latin1');
  bytes.writeUInt16LE(tableBytes, 0x16);
  return withChecksum(bytes, 4);
}

function withChecksum(bytes: Buffer, at: number): Buffer {
  bytes[at] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return bytes;
}

export function smbios(major: number, minor: number, structures: readonly StructureShape[]): Tree {
  const table = encodeTable(structures);
  return files('/sys/firmware/dmi/tables', {
    DMI: table,
    smbios_entry_point: encodeEntryPoint(major, minor, table.length),
  });
}

export interface DimmShape {
  readonly locator: string;
  readonly bank: string;
  readonly sizeMebibytes: number;
  readonly type: number;
  readonly speedMts: number;
  readonly configuredMts: number;
  readonly manufacturer: string;
  readonly serial: string;
  readonly partNumber: string;
  readonly dataBits?: number;
  readonly totalBits?: number;
  readonly ranks?: number;
}

export const DimmType = { ddr4: 0x1a, ddr5: 0x22 } as const;

const dimmLength = 0x5c; // version 3.3
const sizeInExtendedField = 0x7fff;

/** Memory device, type 17. */
export function dimm(shape: DimmShape): StructureShape {
  const fits = shape.sizeMebibytes < sizeInExtendedField;
  return {
    type: 17,
    length: dimmLength,
    fields: [
      { at: 0x04, word: 0x1000 },
      { at: 0x08, word: shape.totalBits ?? 72 },
      { at: 0x0a, word: shape.dataBits ?? 64 },
      { at: 0x0c, word: fits ? shape.sizeMebibytes : sizeInExtendedField },
      { at: 0x0e, byte: 0x09 },
      { at: 0x10, text: shape.locator },
      { at: 0x11, text: shape.bank },
      { at: 0x12, byte: shape.type },
      { at: 0x15, word: shape.speedMts },
      { at: 0x17, text: shape.manufacturer },
      { at: 0x18, text: shape.serial },
      { at: 0x1a, text: shape.partNumber },
      { at: 0x1b, byte: shape.ranks ?? 2 },
      { at: 0x1c, dword: fits ? 0 : shape.sizeMebibytes },
      { at: 0x20, word: shape.configuredMts },
    ],
  };
}

export function emptySlot(locator: string): StructureShape {
  return {
    type: 17,
    length: dimmLength,
    fields: [
      { at: 0x04, word: 0x1000 },
      { at: 0x10, text: locator },
      { at: 0x17, text: 'NO DIMM' },
      { at: 0x18, text: 'NO DIMM' },
    ],
  };
}

/** Physical memory array, type 16, as system memory with multi-bit error correction. */
export const memoryArray: StructureShape = {
  type: 16,
  length: 0x17,
  handle: 0x1000,
  fields: [
    { at: 0x04, byte: 3 },
    { at: 0x05, byte: 3 },
    { at: 0x06, byte: 6 },
  ],
};

/** Processor information, type 4. */
export function processor(slot: string, manufacturer: string, version: string, maxMhz: number): StructureShape {
  return {
    type: 4,
    length: 0x30,
    fields: [
      { at: 0x04, text: slot },
      { at: 0x05, byte: 3 },
      { at: 0x07, text: manufacturer },
      { at: 0x10, text: version },
      { at: 0x14, word: maxMhz },
      { at: 0x18, byte: 0x41 },
    ],
  };
}

/** TPM device, type 43. */
export function tpmDevice(
  vendorId: string,
  major: number,
  minor: number,
  firmware: readonly [number, number],
): StructureShape {
  const bytes = Buffer.from(vendorId.padEnd(4, '\0'), 'latin1');
  return {
    type: 43,
    length: 0x1f,
    fields: [
      { at: 0x04, dword: bytes.readUInt32LE() },
      { at: 0x08, byte: major },
      { at: 0x09, byte: minor },
      { at: 0x0a, word: firmware[1] },
      { at: 0x0c, word: firmware[0] },
    ],
  };
}
