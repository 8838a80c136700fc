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
    ['not when a pattern is none', false, [CORES, MEMORY, NVME, SATA, [Type.GPU, 1n, 1n, '[']]],
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

describe('an explanation', () => {
  const gib = (amount: bigint): Range => [Type.MEMORY, amount * GIB, amount * GIB];

  test('has what matches first, then what has the fewest reasons against it, then the names in order', () => {
    const machine = create(MachineHardwareSchema, { memory: GIB });
    const sizes = [
      size('z-two', gib(2n), [Type.CORES, 1n, 1n]),
      size('c-one', gib(3n)),
      size('a-one', gib(2n)),
      size('b-one', gib(4n)),
      // One reason more than others, and the one that holds besides.
      size('one-of-two', gib(1n), [Type.CORES, 1n, 1n]),
      size('y-fits', gib(1n)),
    ];
    const headlines = explainSizes(sizes, machine).filter((line) => !line.startsWith(' '));
    expect(headlines).toEqual([
      'y-fits: matches',
      'one-of-two: does not match',
      'a-one: does not match',
      'b-one: does not match',
      'c-one: does not match',
      'z-two: does not match',
    ]);
    expect(explainSizes(sizes.toReversed(), machine)).toEqual(explainSizes(sizes, machine));
  });

  test.each<[string, Range, string]>([
    ['bytes', [Type.STORAGE, 0n, 1023n], '0 B to 1023 B; the machine has 1 KiB (1024)'],
    ['one decimal', [Type.STORAGE, 1536n, 1536n], 'exactly 1.5 KiB (1536); the machine has 1 KiB (1024)'],
    [
      'the largest unit',
      [Type.STORAGE, 2n ** 50n, 2n ** 61n],
      `1 PiB (${2n ** 50n}) to 2048 PiB (${2n ** 61n}); the machine has 1 KiB (1024)`,
    ],
    ['numbers of things', [Type.CORES, 2n, 2n], 'exactly 2; the machine has 0'],
  ])('counts in %s', (_name, range, words) => {
    const machine = create(MachineHardwareSchema, { disks: [{ name: '', size: 1024n }] });
    expect(explainSizes([size('s', range)], machine)[1]).toMatch(
      new RegExp(`^  no   [a-z]+: ${RegExp.escape(words)}$`),
    );
  });

  test('names the pattern of a constraint that holds, and says so of a device without a name', () => {
    const machine = create(MachineHardwareSchema, {
      memory: GIB,
      disks: [{ name: '/dev/sda', size: 5n }, { size: 5n }],
    });
    expect(explainSizes([size('s', gib(1n), [Type.STORAGE, 5n, 5n, '/dev/sd*'])], machine)).toEqual([
      's: does not match',
      `  yes  memory: exactly 1 GiB (${GIB}); the machine has 1 GiB (${GIB})`,
      '  yes  storage of "/dev/sd*": exactly 5 B; the machine has 5 B',
      '  no   a device without a name is in no storage constraint that holds',
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
  const disks = (min: bigint, max: bigint): Range => [Type.STORAGE, min, max, '/dev/sd*'];

  test.each<[string, boolean, readonly Range[], readonly Range[]]>([
    ['when all ranges meet', true, [CORES, MEMORY], [CORES, [Type.MEMORY, 260n * GIB, 300n * GIB]]],
    ['not when one range does not', false, [CORES, MEMORY], [CORES, [Type.MEMORY, 261n * GIB, 300n * GIB]]],
    ['not when the identifiers differ', false, [CORES, MEMORY], [[Type.CORES, 24n, 24n, 'AMD*'], MEMORY]],
    ['not when one wants a GPU', false, [CORES, MEMORY], [CORES, MEMORY, GPU]],
    ['when one only allows for a GPU', true, [CORES, MEMORY], [CORES, MEMORY, [Type.GPU, 0n, 8n, '*']]],
    ['when both want the same two kinds of disks', true, [MEMORY, NVME, SATA], [MEMORY, SATA, NVME]],
    ['not when one has no constraint', false, [], [CORES, MEMORY]],
    ['not when one has no constraint and the other asks for nothing', false, [], [[Type.GPU, 0n, 8n, '*']]],
    ['when one of two ranges of a device is met', true, [disks(0n, 10n), disks(5n, 20n)], [disks(10n, 12n)]],
    [
      'not when the ranges of a device do not hold together above',
      false,
      [disks(0n, 10n), disks(5n, 20n)],
      [disks(11n, 20n)],
    ],
    [
      'not when the ranges of a device do not hold together below',
      false,
      [disks(5n, 20n), disks(0n, 10n)],
      [disks(0n, 4n)],
    ],
    ['not above, in the other order', false, [disks(5n, 20n), disks(0n, 10n)], [disks(11n, 20n)]],
    ['not below, in the other order', false, [disks(0n, 10n), disks(5n, 20n)], [disks(0n, 4n)]],
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
  const suggested = (hardware: apiV2.MachineHardware): [string, bigint, bigint, string | undefined][] =>
    suggestConstraints(hardware).map(({ type, min, max, identifier }) => [typeName(type), min, max, identifier]);
  const cpus = (...models: readonly string[]): apiV2.MetalCPU[] =>
    models.map((model) => create(apiV2.MetalCPUSchema, { model, cores: 1 }));
  const disksNamed = (...names: readonly string[]): apiV2.MachineBlockDevice[] =>
    names.map((name) => create(apiV2.MachineBlockDeviceSchema, { name, size: 1n }));

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
        const made = create(SizeSchema, { id: 's1', constraints: suggestConstraints(machine) });
        expect(checkConstraints(made.constraints)).toEqual([]);
        expect(judgeSize(made, machine).matches).toBe(true);
      }),
    );
  });

  test('of a server name its devices', () => {
    expect(suggested({ ...server, disks: server.disks.toReversed() })).toEqual([
      ['cores', 24n, 24n, 'Intel(R) Xeon(R) Silver 4410Y'],
      ['memory', 256n * GIB, 256n * GIB, undefined],
      ['storage', 1920n * GIB, 1920n * GIB, '/dev/nvme*'],
      ['storage', 240n * GIB, 240n * GIB, '/dev/sd*'],
      ['gpu', 1n, 1n, String.raw`GH100 \[H100 PCIe]`],
    ]);
  });

  test.each<
    [string, Pick<apiV2.MachineHardware, 'cpus'> | Pick<apiV2.MachineHardware, 'disks'>, string, string | undefined]
  >([
    ['CPUs of two models by none', { cpus: cpus('one', 'other') }, 'cores', undefined],
    ['CPUs without a model by none', { cpus: cpus('') }, 'cores', undefined],
    ['a disk of no known kind by its whole name', { disks: disksNamed('/mnt/dev/sda') }, 'storage', '/mnt/dev/sda'],
  ])('name %s', (_name, hardware, type, identifier) => {
    const found = suggested(create(MachineHardwareSchema, hardware)).find(([name]) => name === type);
    expect(found?.[3]).toBe(identifier);
    expect(found).toBeDefined();
  });

  test('say nothing of cores without a CPU', () => {
    expect(suggested(create(MachineHardwareSchema, { memory: 1n }))).toEqual([['memory', 1n, 1n, undefined]]);
  });
});
