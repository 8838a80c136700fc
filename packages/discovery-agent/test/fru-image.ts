/** Type/length byte of an 8-bit ASCII string. */
const ascii = 0xc0;
const endOfFields = 0xc1;

export type FruText = string | { readonly type: number; readonly bytes: readonly number[] };

export interface FruImage {
  readonly chassis?: readonly FruText[];
  readonly board?: readonly FruText[];
  readonly product?: readonly FruText[];
  /** Of board and product; 25 is English. */
  readonly language?: number;
}

/** A FRU inventory: Platform Management FRU Information Storage Definition v1.0, chapters 8, 10, 11 and 12. */
export function fruImage({ chassis, board, product, language = 25 }: FruImage): Uint8Array {
  const areas = [
    chassis && area([0x17], chassis),
    board && area([language, 0, 0, 0], board),
    product && area([language], product),
  ];
  let unit = 1;
  const offsets = areas.map((bytes) => {
    if (bytes === undefined) return 0;
    unit += bytes.length / 8;
    return unit - bytes.length / 8;
  });
  const header = [1, 0, ...offsets, 0, 0];
  return Uint8Array.from([...header, checksum(header), ...areas.flatMap((bytes) => bytes ?? [])]);
}

function area(start: readonly number[], fields: readonly FruText[]): readonly number[] {
  const body = fields.flatMap((field) => {
    const [type, bytes] =
      typeof field === 'string' ? [ascii, [...Buffer.from(field, 'latin1')]] : [field.type << 6, field.bytes];
    return [type | bytes.length, ...bytes];
  });
  const used = [...start, ...body, endOfFields];
  const units = Math.ceil((2 + used.length + 1) / 8);
  const padding = Array.from({ length: units * 8 - used.length - 3 }, () => 0);
  const bytes = [1, units, ...used, ...padding];
  return [...bytes, checksum(bytes)];
}

/** The byte that makes the sum of all zero modulo 256. */
function checksum(bytes: readonly number[]): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
