/** SMBIOS structure table as `/sys/firmware/dmi/tables/DMI` hands it out (DMTF DSP0134). */

export interface SmbiosStructure {
  readonly type: number;
  readonly handle: number;
  /** Header and formatted area; offsets are those of the specification. */
  readonly data: Uint8Array;
  /** Text strings; fields refer to them counting from 1. */
  readonly strings: readonly string[];
}

/** A memory device (type 17) that is fitted. */
export interface Dimm {
  /** As printed on the board: `DIMM_A1`. */
  readonly locator: string;
  readonly bank: string;
  readonly sizeBytes: number;
  /** Mega transfers per second; 0 when unknown. */
  readonly speedMts: number;
  readonly manufacturer: string;
  readonly serial: string;
  readonly partNumber: string;
}

const endOfTable = 127;
const memoryDevice = 17;

/**
 * Structures up to the end-of-table mark, or to the first one that is malformed: firmware tables are not trustworthy,
 * and what came before is still worth having.
 */
export function parseSmbios(table: Uint8Array): SmbiosStructure[] {
  const structures: SmbiosStructure[] = [];
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  let at = 0;
  while (at + 4 <= table.length) {
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

/** Fitted memory modules, in the table's order. */
export function dimmsOf(structures: readonly SmbiosStructure[]): Dimm[] {
  return structures.flatMap((structure) => {
    if (structure.type !== memoryDevice) return [];
    const sizeBytes = dimmSize(structure.data);
    if (sizeBytes === 0) return [];
    const text = (offset: number): string => structure.strings[byteAt(structure.data, offset) - 1] ?? '';
    return [
      {
        locator: text(0x10),
        bank: text(0x11),
        sizeBytes,
        speedMts: wordAt(structure.data, 0x15),
        manufacturer: text(0x17),
        serial: text(0x18),
        partNumber: text(0x1a),
      },
    ];
  });
}

/** DSP0134 7.18.5: 0 not fitted, 0xffff unknown, 0x7fff see the extended size, top bit set: KiB instead of MiB. */
function dimmSize(data: Uint8Array): number {
  const size = wordAt(data, 0x0c);
  if (size === 0 || size === 0xffff) return 0;
  if (size === 0x7fff) return (wordAt(data, 0x1c) | ((wordAt(data, 0x1e) & 0x7fff) << 16)) * 2 ** 20;
  return (size & 0x7fff) * (size & 0x8000 ? 2 ** 10 : 2 ** 20);
}

const byteAt = (data: Uint8Array, offset: number): number => data[offset] ?? 0;
const wordAt = (data: Uint8Array, offset: number): number => byteAt(data, offset) | (byteAt(data, offset + 1) << 8);
