import { fieldsOf } from './smbios.ts';
import type { SmbiosFields, SmbiosStructure } from './smbios.ts';

/** A memory device (SMBIOS type 17) that is fitted. Texts are empty where the firmware tells none. */
export interface Dimm {
  /** As printed on the board: `DIMM_A1`. */
  readonly locator: string;
  readonly bank: string;
  readonly sizeBytes: number;
  /** `DDR5`; empty when unknown. */
  readonly type: string;
  /** Mega transfers per second that it is made for; 0 when unknown. */
  readonly speedMts: number;
  /** … and that it runs at. */
  readonly configuredMts: number;
  readonly ranks: number;
  /** Has bits for error correction: wider in total than its data. `undefined` when the firmware does not tell. */
  readonly ecc: boolean | undefined;
  readonly manufacturer: string;
  readonly serial: string;
  readonly partNumber: string;
}

export interface Dimms {
  /** Fitted modules, in the table's order. */
  readonly dimms: readonly Dimm[];
  /** Places for modules, fitted or not. */
  readonly slots: number;
  /** What the memory controller does: `none`, `parity`, `single-bit`, `multi-bit`, `crc`; empty when unknown. */
  readonly errorCorrection: string;
}

const physicalMemoryArray = 16;
const memoryDevice = 17;
const systemMemory = 3;

/** DSP0134 7.17.3 */
const corrections: ReadonlyMap<number, string> = new Map([
  [3, 'none'],
  [4, 'parity'],
  [5, 'single-bit'],
  [6, 'multi-bit'],
  [7, 'crc'],
]);

/** DSP0134 7.18.2 */
const types: ReadonlyMap<number, string> = new Map([
  [0x03, 'DRAM'],
  [0x0f, 'SDRAM'],
  [0x12, 'DDR'],
  [0x13, 'DDR2'],
  [0x14, 'DDR2 FB-DIMM'],
  [0x18, 'DDR3'],
  [0x1a, 'DDR4'],
  [0x1b, 'LPDDR'],
  [0x1c, 'LPDDR2'],
  [0x1d, 'LPDDR3'],
  [0x1e, 'LPDDR4'],
  [0x1f, 'non-volatile'],
  [0x20, 'HBM'],
  [0x21, 'HBM2'],
  [0x22, 'DDR5'],
  [0x23, 'LPDDR5'],
  [0x24, 'HBM3'],
]);

export function dimmsOf(structures: readonly SmbiosStructure[]): Dimms {
  const arrays = structures.filter(({ type }) => type === physicalMemoryArray);
  // Some boards list their firmware's flash chip as an array of its own.
  const others = new Set(arrays.filter((array) => fieldsOf(array).byte(0x05) !== systemMemory).map(handleOf));
  const main = arrays.find((array) => !others.has(array.handle));
  const devices = structures
    .filter(({ type }) => type === memoryDevice)
    .map(fieldsOf)
    .filter((fields) => !others.has(fields.word(0x04)));
  return {
    dimms: devices.map(dimmOf).filter(({ sizeBytes }) => sizeBytes > 0),
    slots: devices.length,
    errorCorrection: (main && corrections.get(fieldsOf(main).byte(0x06))) ?? '',
  };
}

const handleOf = ({ handle }: SmbiosStructure): number => handle;

function dimmOf(fields: SmbiosFields): Dimm {
  const totalBits = fields.word(0x08);
  const dataBits = fields.word(0x0a);
  const known = [totalBits, dataBits].every((bits) => bits !== 0 && bits !== unknownWord);
  return {
    locator: fields.text(0x10),
    bank: fields.text(0x11),
    sizeBytes: sizeOf(fields),
    type: types.get(fields.byte(0x12)) ?? '',
    speedMts: speedOf(fields, 0x15, 0x54),
    configuredMts: speedOf(fields, 0x20, 0x58),
    ranks: fields.byte(0x1b) & 0x0f,
    ecc: known ? totalBits > dataBits : undefined,
    manufacturer: fields.text(0x17),
    serial: fields.text(0x18),
    partNumber: fields.text(0x1a),
  };
}

const unknownWord = 0xffff;

/** DSP0134 7.18.5: 0 not fitted, 0xffff unknown, 0x7fff see the extended size, top bit set: KiB instead of MiB. */
function sizeOf(fields: SmbiosFields): number {
  const size = fields.word(0x0c);
  if (size === 0 || size === unknownWord) return 0;
  if (size === 0x7fff) return (fields.dword(0x1c) % 0x8000_0000) * 2 ** 20;
  return (size & 0x7fff) * (size & 0x8000 ? 2 ** 10 : 2 ** 20);
}

/** 7.18.4: 0xffff means that the extended field has it. */
function speedOf(fields: SmbiosFields, offset: number, extendedOffset: number): number {
  const speed = fields.word(offset);
  return speed === unknownWord ? fields.dword(extendedOffset) % 0x8000_0000 : speed;
}
