import { printable } from '../inventory/printable.ts';
import { IpmiError } from './ipmi.ts';
import type { IpmiCommand, IpmiSession } from './ipmi.ts';

const getFruAreaInfo: IpmiCommand = { name: 'Get FRU Inventory Area Info', netFn: 0x0a, command: 0x10 };
const readFruData: IpmiCommand = { name: 'Read FRU Data', netFn: 0x0a, command: 0x11 };

/** Fields of `metalstack.api.v2.MachineFRU`. What the FRU lacks is absent. */
export interface Fru {
  readonly chassisPartNumber?: string;
  readonly chassisPartSerial?: string;
  readonly boardMfg?: string;
  readonly boardMfgSerial?: string;
  readonly boardPartNumber?: string;
  readonly productManufacturer?: string;
  readonly productPartNumber?: string;
  readonly productSerial?: string;
}

type FieldName = keyof Fru;

/** An area of the FRU: where its offset stands in the common header, where its fields begin, and which of them count. */
interface AreaLayout {
  readonly headerOffset: number;
  readonly firstField: number;
  /** Position of the language code; the chassis has none, and is English. */
  readonly languageAt: number | undefined;
  readonly fields: readonly (FieldName | undefined)[];
}

/** Platform Management FRU Information Storage Definition v1.0 (rev. 1.3), chapters 8, 10, 11 and 12. */
const areas: readonly AreaLayout[] = [
  { headerOffset: 2, firstField: 3, languageAt: undefined, fields: ['chassisPartNumber', 'chassisPartSerial'] },
  {
    headerOffset: 3,
    firstField: 6,
    languageAt: 2,
    fields: ['boardMfg', undefined, 'boardMfgSerial', 'boardPartNumber'],
  },
  {
    headerOffset: 4,
    firstField: 3,
    languageAt: 2,
    fields: ['productManufacturer', undefined, 'productPartNumber', undefined, 'productSerial'],
  },
];

const commonHeader = 8;
/** Areas are counted in units of 8 bytes; so are their lengths, in one byte. */
const areaUnit = 8;
const endOfFields = 0xc1;
const builtInFru = 0;

/** Reads the areas of the BMC's own FRU, and nothing else of it: multi-records may be kilobytes of slow I²C. */
export async function readFru(session: IpmiSession): Promise<Fru> {
  const info = await session.ask(getFruAreaInfo, [builtInFru], 3);
  const sizeBytes = (info[0] ?? 0) | ((info[1] ?? 0) << 8);
  const isByWords = ((info[2] ?? 0) & 0x01) === 1;
  const read = (from: number, to: number): Promise<Uint8Array> =>
    readRange(session, from, Math.min(to, sizeBytes), isByWords);
  const header = await read(0, commonHeader);
  const image = new Uint8Array(sizeBytes);
  image.set(header);
  for (const { headerOffset } of areas) {
    const start = (header[headerOffset] ?? 0) * areaUnit;
    if (start === 0) continue;
    const [, units = 0] = await read(start, start + 2);
    image.set(await read(start, start + units * areaUnit), Math.min(start, sizeBytes));
  }
  return parseFru(image);
}

const chunkBytes = 16;
const smallestChunkBytes = 4;

/** May end early: the size that a BMC tells is not always what it has. */
async function readRange(session: IpmiSession, from: number, to: number, isByWords: boolean): Promise<Uint8Array> {
  const unit = isByWords ? 2 : 1;
  const parts: number[] = [];
  let chunk = chunkBytes;
  let at = from - (from % unit);
  while (at < to) {
    const wanted = Math.min(chunk, to - at + ((to - at) % unit));
    const offset = at / unit;
    let answer: Uint8Array;
    try {
      answer = await session.ask(readFruData, [builtInFru, offset & 0xff, offset >> 8, wanted / unit], 1);
    } catch (error) {
      if (!(error instanceof IpmiError) || !error.isFinal) throw error;
      // A BMC behind a small buffer refuses what is too long for it.
      if (chunk === smallestChunkBytes) break;
      chunk = Math.max(smallestChunkBytes, chunk / 2);
      continue;
    }
    const count = Math.min((answer[0] ?? 0) * unit, wanted, answer.length - 1);
    if (count === 0) break;
    parts.push(...answer.subarray(1, 1 + count));
    at += count;
  }
  return Uint8Array.from(parts).subarray(from % unit, (from % unit) + Math.max(0, to - from));
}

/**
 * The texts of a FRU image. Checksums are not looked at: vendors' tools write serial numbers and forget them, and each
 * field is bounded by its area in any case. An area that cannot be read is left out.
 */
export function parseFru(image: Uint8Array): Fru {
  const fru: Partial<Record<FieldName, string>> = {};
  if (((image[0] ?? 0) & 0x0f) !== 1) return fru;
  for (const { headerOffset, firstField, languageAt, fields } of areas) {
    const start = (image[headerOffset] ?? 0) * areaUnit;
    const area = image.subarray(start, start + (image[start + 1] ?? 0) * areaUnit);
    if (start === 0 || ((area[0] ?? 0) & 0x0f) !== 1) continue;
    const isEnglish = languageAt === undefined || [0, 25].includes(area[languageAt] ?? 0);
    let at = firstField;
    for (const name of fields) {
      const typeAndLength = area[at];
      if (typeAndLength === undefined || typeAndLength === endOfFields) break;
      const length = typeAndLength & 0x3f;
      const text = fieldText(typeAndLength >> 6, area.subarray(at + 1, at + 1 + length), isEnglish);
      if (name !== undefined && text !== '') fru[name] = text;
      at += 1 + length;
    }
  }
  return fru;
}

/** Chapter 13: binary, BCD plus, 6-bit ASCII, and 8-bit ASCII or, in other languages than English, UTF-16. */
function fieldText(type: number, bytes: Uint8Array, isEnglish: boolean): string {
  return printable(decode(type, bytes, isEnglish).toWellFormed());
}

const bcdPlus = '0123456789 -.   ';

function decode(type: number, bytes: Uint8Array, isEnglish: boolean): string {
  switch (type) {
    case 0:
      return Buffer.from(bytes).toString('hex');
    case 1:
      return [...bytes].map((byte) => `${bcdPlus[byte >> 4] ?? ''}${bcdPlus[byte & 0x0f] ?? ''}`).join('');
    case 2:
      return sixBit(bytes);
    default:
      return isEnglish || bytes.length % 2 === 1
        ? Buffer.from(bytes).toString('latin1')
        : Buffer.from(bytes).toString('utf16le');
  }
}

/** Four characters in three bytes, the lowest bits first; 0 is a blank. */
function sixBit(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    bits |= byte << held;
    held += 8;
    while (held >= 6) {
      text += String.fromCodePoint(0x20 + (bits & 0x3f));
      bits >>>= 6;
      held -= 6;
    }
  }
  return text;
}
