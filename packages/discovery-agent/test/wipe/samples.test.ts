import * as fc from 'fast-check';
import { mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { disproof, edgeBytes, endsOf, randomSampleCount, samplePlaces, telling } from '../../src/wipe/samples.ts';
import type { Place, Sample } from '../../src/wipe/samples.ts';

const gib = 2 ** 30;
const place: Place = { offset: 4096, length: 4096 };
const noise = (sha256: string): Sample => ({ place, sha256, uniform: undefined });
const blank = (value: number): Sample => ({ place, sha256: `all ${value}`, uniform: value });

test('the ends, the edges of partitions and random places are looked at', () => {
  const disk = { sizeBytes: 10 * gib, logicalBlockBytes: 512, partitionEdges: [2 ** 20, 5 * gib] };
  const places = samplePlaces(disk, mockEntropy(1));
  const has = (offset: number, length: number): boolean =>
    places.some((found) => found.offset === offset && found.length === length);
  expect(has(0, edgeBytes)).toBe(true);
  expect(has(10 * gib - edgeBytes, edgeBytes)).toBe(true);
  expect(has(2 ** 20, 65_536)).toBe(true);
  expect(has(5 * gib - 65_536, 65_536)).toBe(true);
  expect(has(5 * gib, 65_536)).toBe(true);
  expect(places.filter(({ length }) => length === 4096)).toHaveLength(randomSampleCount(10 * gib));
});

test('a larger disk is looked at in more places, up to 512', () => {
  expect([1, 160, 1600, 100_000].map((size) => randomSampleCount(size * gib))).toEqual([64, 74, 164, 512]);
});

test('equal chance gives equal places', () => {
  const disk = { sizeBytes: 3 * gib, logicalBlockBytes: 4096, partitionEdges: [] };
  expect(samplePlaces(disk, mockEntropy(7))).toEqual(samplePlaces(disk, mockEntropy(7)));
});

test('every place lies on the disk and on its blocks, whatever the size and the partition table say', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 52 }),
      fc.constantFrom(512, 4096, 16_384),
      fc.array(fc.double({ noNaN: true, min: -1e18, max: 1e18 }), { maxLength: 300 }),
      (sizeBytes, logicalBlockBytes, partitionEdges) => {
        const disk = { sizeBytes, logicalBlockBytes, partitionEdges };
        for (const { offset, length } of [...samplePlaces(disk, mockEntropy(3)), ...endsOf(disk)]) {
          expect(offset % logicalBlockBytes).toBe(0);
          expect(length % logicalBlockBytes).toBe(0);
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset + length).toBeLessThanOrEqual(sizeBytes);
        }
      },
    ),
    { numRuns: 20 },
  );
});

test.each<[string, Sample[], Sample[], 'zero' | 'changed', string | undefined]>([
  ['zeroes where zeroes were promised', [noise('a')], [blank(0)], 'zero', undefined],
  ['ones where zeroes were promised', [noise('a')], [blank(255)], 'zero', 'at byte 4096 there is no zero, but 0xff'],
  [
    'noise where zeroes were promised',
    [noise('a')],
    [noise('b')],
    'zero',
    'at byte 4096 there is no zero, but other content',
  ],
  ['other noise after a key was destroyed', [noise('a')], [noise('b')], 'changed', undefined],
  ['the same as before', [noise('a')], [noise('a')], 'changed', 'at byte 4096 there still is what was there before'],
  ['a blank place that stays blank', [blank(0)], [blank(0)], 'changed', undefined],
  ['a place that could not be read before', [{ place, error: 'EIO' }], [noise('a')], 'changed', undefined],
  [
    'a place that cannot be read afterwards',
    [noise('a')],
    [{ place, error: 'EIO' }],
    'changed',
    'cannot be read back at byte 4096: EIO',
  ],
  ['a place that nobody read', [noise('a')], [], 'changed', '0 of 1 samples were read'],
])('%s', (_, before, after, promise, reason) => {
  expect(disproof(before, after, promise)).toBe(reason);
});

test('only what had content can tell', () => {
  expect(telling([noise('a'), blank(0), { place, error: 'EIO' }])).toEqual([noise('a')]);
});
