import { expect, test } from 'vitest';
import { encodeFru } from '../src/fru.ts';

const fields = {
  board: { manufacturer: 'Ingot', product: 'Lab Board', serial: 'BRD1', part: 'P1' },
  product: { manufacturer: 'Ingot', name: 'Lab Machine', part: 'P2', version: '1', serial: 'SYS1' },
};

/** Offsets of the board and product area in the common header, in bytes. */
function areas(image: Uint8Array): readonly [number, number] {
  return [(image[3] ?? 0) * 8, (image[4] ?? 0) * 8];
}

test('every area begins where the header says and sums to zero, as a reader checks', () => {
  const image = encodeFru(fields);
  expect(image.subarray(0, 8).reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
  for (const start of areas(image)) {
    expect(image[start]).toBe(1);
    const length = (image[start + 1] ?? 0) * 8;
    expect(image.subarray(start, start + length).reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
  }
});

test('the board serial is the third field of the board area', () => {
  const image = encodeFru(fields);
  const [board] = areas(image);
  let at = board + 6;
  const strings: string[] = [];
  while (image[at] !== 0xc1) {
    const length = (image[at] ?? 0) & 0x3f;
    strings.push(Buffer.from(image.subarray(at + 1, at + 1 + length)).toString('latin1'));
    at += 1 + length;
  }
  expect(strings).toEqual(['Ingot', 'Lab Board', 'BRD1', 'P1', '']);
});
