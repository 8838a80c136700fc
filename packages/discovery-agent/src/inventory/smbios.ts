/** SMBIOS structure table as `/sys/firmware/dmi/tables` hands it out (DMTF DSP0134). */
import type { Sysfs } from '../sysfs.ts';
import { printable } from './printable.ts';

export interface SmbiosStructure {
  readonly type: number;
  readonly handle: number;
  /** Header and formatted area; offsets are those of the specification. */
  readonly data: Uint8Array;
  /** Text strings; fields refer to them counting from 1. */
  readonly strings: readonly string[];
}

export interface SmbiosEntryPoint {
  /** `3.3` */
  readonly version: string;
  /** What the table may be long at most. */
  readonly maxBytes: number;
}

const endOfTable = 127;
/** A large server has about five hundred. */
const maxStructures = 8192;
const maxTableBytes = 2 ** 20;

/** This machine's structures; none without firmware tables, or without root. */
export function readSmbios(sysfs: Sysfs): SmbiosStructure[] {
  const table = sysfs.bytes('/sys/firmware/dmi/tables/DMI');
  if (table === undefined) return [];
  const entryPoint = readEntryPoint(sysfs);
  return parseSmbios(table.subarray(0, Math.min(entryPoint?.maxBytes ?? maxTableBytes, maxTableBytes)));
}

export function readEntryPoint(sysfs: Sysfs): SmbiosEntryPoint | undefined {
  const bytes = sysfs.bytes('/sys/firmware/dmi/tables/smbios_entry_point');
  return bytes === undefined ? undefined : parseEntryPoint(bytes);
}

/** DSP0134 5.2.1 and 5.2.2. `undefined` when it is neither, cut, or its checksum is wrong. */
export function parseEntryPoint(bytes: Uint8Array): SmbiosEntryPoint | undefined {
  const start = Buffer.from(bytes.subarray(0, 5)).toString('latin1');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start === '_SM3_' && bytes.length >= 0x18 && sumsToZero(bytes, view.getUint8(6)))
    return { version: `${view.getUint8(7)}.${view.getUint8(8)}`, maxBytes: view.getUint32(0x0c, true) };
  if (start.startsWith('_SM_') && bytes.length >= 0x1f) {
    // 1Eh instead of 1Fh is a misprint of version 2.1 that firmware has followed.
    const length = view.getUint8(5) === 0x1e ? 0x1f : view.getUint8(5);
    if (sumsToZero(bytes, length))
      return { version: `${view.getUint8(6)}.${view.getUint8(7)}`, maxBytes: view.getUint16(0x16, true) };
  }
  return undefined;
}

function sumsToZero(bytes: Uint8Array, length: number): boolean {
  return length <= bytes.length && (bytes.subarray(0, length).reduce((sum, byte) => sum + byte, 0) & 0xff) === 0;
}

/**
 * Structures up to the end-of-table mark, or to the first one that is malformed: firmware tables are not trustworthy,
 * and what came before is still worth having.
 */
export function parseSmbios(table: Uint8Array): SmbiosStructure[] {
  const structures: SmbiosStructure[] = [];
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  let at = 0;
  while (at + 4 <= table.length && structures.length < maxStructures) {
    const type = view.getUint8(at);
    const length = view.getUint8(at + 1);
    if (length < 4 || at + length > table.length) break;
    const strings: string[] = [];
    let cursor = at + length;
    // A set of strings ends with an empty one; a structure without strings has two zero bytes.
    for (;;) {
      const end = table.indexOf(0, cursor);
      if (end < 0) return structures;
      if (end === cursor) {
        cursor += strings.length === 0 ? 2 : 1;
        break;
      }
      strings.push(Buffer.from(table.subarray(cursor, end)).toString('latin1').trim());
      cursor = end + 1;
    }
    structures.push({ type, handle: view.getUint16(at + 2, true), data: table.subarray(at, at + length), strings });
    if (type === endOfTable) break;
    at = cursor;
  }
  return structures;
}

/** Reads fields of a structure at the specification's offsets; a field beyond an older structure's end reads as 0. */
export interface SmbiosFields {
  byte(offset: number): number;
  word(offset: number): number;
  dword(offset: number): number;
  /** Empty where there is none, or what firmware writes instead of nothing: `Not Specified`. */
  text(offset: number): string;
}

export function fieldsOf({ data, strings }: SmbiosStructure): SmbiosFields {
  const byte = (offset: number): number => data[offset] ?? 0;
  const word = (offset: number): number => byte(offset) | (byte(offset + 1) << 8);
  return {
    byte,
    word,
    dword: (offset) => word(offset) + word(offset + 2) * 0x1_0000,
    text(offset) {
      const text = printable(strings[byte(offset) - 1] ?? '');
      return placeholder.test(text) ? '' : text;
    },
  };
}

const placeholder =
  /^(unknown|none|n\/a|null|not (specified|available|applicable|provided)|no dimm|empty|default string|undefined|to be filled by o\.?e\.?m\.?|0+|f{8,}|[-. ]+)$/i;
