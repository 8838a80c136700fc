import { apiV2, create } from '@ingot/api';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkConstraints, overlaps, typeName } from '../../src/size/check-size.ts';
import { explainSizes } from '../../src/size/explain.ts';
import { judgeSize, matchSize } from '../../src/size/match.ts';
import { suggestConstraints } from '../../src/size/suggest.ts';

const { MachineHardwareSchema, SizeSchema, SizeConstraintType: Type } = apiV2;
const GIB = 2n ** 30n;

type Range = readonly [type: apiV2.SizeConstraintType, min: bigint, max: bigint, identifier?: string];

function size(id: string, ...ranges: readonly Range[]): apiV2.Size {
  return create(SizeSchema, {
    id,
    constraints: ranges.map(([type, min, max, identifier]) => ({
      type,
      min,
      max,
      ...(identifier === undefined ? {} : { identifier }),
    })),
  });
}

const server = create(MachineHardwareSchema, {
  memory: 256n * GIB,
  cpus: [
    { vendor: 'GenuineIntel', model: 'Intel(R) Xeon(R) Silver 4410Y', cores: 12, threads: 24 },
    { vendor: 'GenuineIntel', model: 'Intel(R) Xeon(R) Silver 4410Y', cores: 12, threads: 24 },
  ],
  disks: [
    { name: '/dev/nvme0n1', size: 960n * GIB },
    { name: '/dev/nvme1n1', size: 960n * GIB },
    { name: '/dev/sda', size: 240n * GIB },
  ],
  gpus: [{ vendor: 'NVIDIA Corporation', model: 'GH100 [H100 PCIe]' }],
});

const CORES: Range = [Type.CORES, 24n, 24n, 'Intel*'];
const MEMORY: Range = [Type.MEMORY, 250n * GIB, 260n * GIB];
const NVME: Range = [Type.STORAGE, 1900n * GIB, 2000n * GIB, '/dev/nvme*'];
const SATA: Range = [Type.STORAGE, 200n * GIB, 300n * GIB, '/dev/sd*'];
const GPU: Range = [Type.GPU, 1n, 1n, '*H100*'];

describe('a machine is of a size', () => {
  test.each<[string, boolean, readonly Range[]]>([
    ['when every constraint holds and every device is covered', true, [CORES, MEMORY, NVME, SATA, GPU]],
    ['not when a disk is covered by none', false, [CORES, MEMORY, NVME, GPU]],
    ['not when the GPU is covered by none', false, [CORES, MEMORY, NVME, SATA]],
    ['not when nothing is said of the memory', false, [CORES, NVME, SATA, GPU]],
    ['not when nothing is said of the cores', false, [MEMORY, NVME, SATA, GPU]],
    ['not when one range is missed', false, [CORES, [Type.MEMORY, 0n, 255n * GIB], NVME, SATA, GPU]],
    ['not when an identifier matches no CPU', false, [[Type.CORES, 24n, 24n, 'AMD*'], MEMORY, NVME, SATA, GPU]],
    ['when an empty identifier covers all disks', true, [CORES, MEMORY, [Type.STORAGE, 0n, 9999n * GIB], GPU]],
    ['not when there is no constraint at all', false, []],
    [
      'not when the pattern is for a part of the model',
      false,
      [CORES, MEMORY, NVME, SATA, [Type.GPU, 1n, 1n, 'H100*']],
    ],
  ])('%s', (_name, matches, ranges) => {
    expect(judgeSize(size('s1', ...ranges), server).matches).toBe(matches);
  });

  test('by the one that matches, else unknown', () => {
    const right = size('h100', CORES, MEMORY, NVME, SATA, GPU);
    const wrong = size('small', [Type.CORES, 1n, 8n], MEMORY);
    expect(matchSize([wrong, right], server)).toBe('h100');
    expect(matchSize([wrong], server)).toBe('unknown');
    expect(matchSize([right, { ...right, id: 'twin' }], server)).toBe('unknown');
    expect(matchSize([], server)).toBe('unknown');
  });

  test('and the explanation says constraint by constraint why', () => {
    const lines = explainSizes(
      [size('small', [Type.CORES, 1n, 8n], [Type.MEMORY, 255n * GIB, 255n * GIB]), size('none')],
      server,
    );
    expect(lines).toEqual([
      'none: has no constraints, and matches nothing',
      '  no   Intel(R) Xeon(R) Silver 4410Y is in no cores constraint that holds',
      '  no   Intel(R) Xeon(R) Silver 4410Y is in no cores constraint that holds',
      '  no   the memory is in no memory constraint that holds',
      '  no   /dev/nvme0n1 is in no storage constraint that holds',
      '  no   /dev/nvme1n1 is in no storage constraint that holds',
      '  no   /dev/sda is in no storage constraint that holds',
      '  no   GH100 [H100 PCIe] is in no gpu constraint that holds',
      'small: does not match',
      '  no   cores: 1 to 8; the machine has 24',
      '  no   memory: exactly 255 GiB (273804165120); the machine has 256 GiB (274877906944)',
      '  no   Intel(R) Xeon(R) Silver 4410Y is in no cores constraint that holds',
      '  no   Intel(R) Xeon(R) Silver 4410Y is in no cores constraint that holds',
      '  no   the memory is in no memory constraint that holds',
      '  no   /dev/nvme0n1 is in no storage constraint that holds',
      '  no   /dev/nvme1n1 is in no storage constraint that holds',
      '  no   /dev/sda is in no storage constraint that holds',
      '  no   GH100 [H100 PCIe] is in no gpu constraint that holds',
    ]);
  });
});

describe('a size is refused', () => {
  test.each<[string, readonly Range[], string]>([
    ['with max below min', [[Type.MEMORY, 2n, 1n]], 'constraints[0] (memory): max 1 is less than min 2'],
    ['with a GPU constraint without identifier', [[Type.GPU, 1n, 1n]], 'needs an identifier'],
    ['with an identifier for memory', [[Type.MEMORY, 1n, 1n, 'x']], 'memory has no identifier'],
    ['with two constraints on cores', [CORES, [Type.CORES, 1n, 2n]], '2 constraints of type cores'],
    ['with a bad pattern', [[Type.STORAGE, 1n, 2n, '/dev/[']], 'the "[" at 6'],
  ])('%s', (_name, ranges, words) => {
    expect(checkConstraints(size('s1', ...ranges).constraints).join('\n')).toContain(words);
  });

  test('and a good one is not', () => {
    expect(checkConstraints(size('s1', CORES, MEMORY, NVME, SATA, GPU).constraints)).toEqual([]);
  });
});

describe('two sizes overlap', () => {
  test.each<[string, boolean, readonly Range[], readonly Range[]]>([
    ['when all ranges meet', true, [CORES, MEMORY], [CORES, [Type.MEMORY, 260n * GIB, 300n * GIB]]],
    ['not when one range does not', false, [CORES, MEMORY], [CORES, [Type.MEMORY, 261n * GIB, 300n * GIB]]],
    ['not when the identifiers differ', false, [CORES, MEMORY], [[Type.CORES, 24n, 24n, 'AMD*'], MEMORY]],
    ['not when one wants a GPU', false, [CORES, MEMORY], [CORES, MEMORY, GPU]],
    ['when one only allows for a GPU', true, [CORES, MEMORY], [CORES, MEMORY, [Type.GPU, 0n, 8n, '*']]],
    ['when both want the same two kinds of disks', true, [MEMORY, NVME, SATA], [MEMORY, SATA, NVME]],
    ['not when one has no constraint', false, [], [CORES, MEMORY]],
  ])('%s', (_name, expected, one, other) => {
    expect(overlaps(size('a', ...one), size('b', ...other))).toBe(expected);
    expect(overlaps(size('b', ...other), size('a', ...one))).toBe(expected);
  });

  const hardware = fc.record({
    cores: fc.integer({ min: 1, max: 4 }),
    memory: fc.bigInt({ min: 1n, max: 4n }),
    gpus: fc.integer({ min: 0, max: 2 }),
  });
  const range = fc.tuple(fc.bigInt({ min: 0n, max: 4n }), fc.bigInt({ min: 0n, max: 4n }));
  const anySize = fc
    .record({ cores: range, memory: range, gpu: fc.option(range, { nil: undefined }) })
    .map(({ cores, memory, gpu }) => {
      const sorted = ([a, b]: readonly [bigint, bigint]): readonly [bigint, bigint] => (a < b ? [a, b] : [b, a]);
      return size(
        'any',
        [Type.CORES, ...sorted(cores)],
        [Type.MEMORY, ...sorted(memory)],
        ...(gpu === undefined ? [] : [[Type.GPU, ...sorted(gpu), '*'] as const]),
      );
    });

  test('whenever there is a machine that is of both', () => {
    fc.assert(
      fc.property(anySize, anySize, hardware, (one, other, { cores, memory, gpus }) => {
        const machine = create(MachineHardwareSchema, {
          memory,
          cpus: [{ model: 'm', cores }],
          gpus: Array.from({ length: gpus }, () => ({ model: 'g' })),
        });
        const isBoth = [one, other].every((each) => judgeSize(each, machine).matches);
        if (isBoth) expect(overlaps(one, other)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('suggested constraints', () => {
  test('match the machine that they were made from, whatever its models are called', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '[', ']', '*', '?', '\\', '-', ' '), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), fc.array(text, { maxLength: 3 }), (gpus, disks) => {
        const machine = create(MachineHardwareSchema, {
          memory: GIB,
          cpus: [{ model: 'x [y]', cores: 4 }],
          disks: disks.map((name, index) => ({ name: `/dev/${name}`, size: BigInt(index + 1) })),
          gpus: gpus.map((model) => ({ model: `g${model}` })),
        });
        const suggested = create(SizeSchema, { id: 's1', constraints: suggestConstraints(machine) });
        expect(checkConstraints(suggested.constraints)).toEqual([]);
        expect(judgeSize(suggested, machine).matches).toBe(true);
      }),
    );
  });

  test('of a server name its devices', () => {
    const found = suggestConstraints(server).map(({ type, identifier }) => [typeName(type), identifier]);
    expect(found).toEqual([
      ['cores', 'Intel(R) Xeon(R) Silver 4410Y'],
      ['memory', undefined],
      ['storage', '/dev/nvme*'],
      ['storage', '/dev/sd*'],
      ['gpu', String.raw`GH100 \[H100 PCIe]`],
    ]);
  });
});
