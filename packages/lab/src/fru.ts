/** Strings of a FRU inventory, in the order in which the areas list them. */
export interface FruFields {
  readonly board: {
    readonly manufacturer: string;
    readonly product: string;
    readonly serial: string;
    readonly part: string;
  };
  readonly product: {
    readonly manufacturer: string;
    readonly name: string;
    readonly part: string;
    readonly version: string;
    readonly serial: string;
  };
}

/** Type/length byte of an 8-bit ASCII string: the two high bits set, the length in the other six. */
const asciiField = 0xc0;
const endOfFields = 0xc1;
const english = 0x19;

/** FRU inventory image: IPMI Platform Management FRU Information Storage Definition v1.0, chapters 8, 11 and 12. */
export function encodeFru({ board, product }: FruFields): Uint8Array {
  const manufactured = [0, 0, 0]; // minutes since 1996-01-01; zero stands for "unspecified"
  const boardArea = area([english, ...manufactured], [board.manufacturer, board.product, board.serial, board.part, '']);
  const productArea = area(
    [english],
    [product.manufacturer, product.name, product.part, product.version, product.serial, '', ''],
  );
  const header = [1, 0, 0, 1, 1 + boardArea.length / 8, 0, 0];
  return Uint8Array.from([...header, checksum(header), ...boardArea, ...productArea]);
}

function area(start: readonly number[], fields: readonly string[]): readonly number[] {
  const body = [...start];
  for (const field of fields) {
    const bytes = Buffer.from(field.slice(0, 63), 'latin1');
    // One byte of length 1 would read as the end mark.
    body.push(asciiField | (bytes.length === 1 ? 0 : bytes.length), ...(bytes.length === 1 ? [] : bytes));
  }
  body.push(endOfFields);
  const units = Math.ceil((2 + body.length + 1) / 8);
  const bytes = [1, units, ...body];
  while (bytes.length < units * 8 - 1) bytes.push(0);
  return [...bytes, checksum(bytes)];
}

/** The byte that makes the sum of all zero modulo 256. */
function checksum(bytes: readonly number[]): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
