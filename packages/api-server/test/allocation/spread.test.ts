import { mockEntropy } from '@ingot/net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickSpread, type Neighbour } from '../../src/allocation/spread.ts';

const at = (rack: string, labels: Readonly<Record<string, string>> = {}): Neighbour => ({
  rack,
  placementLabels: new Map(Object.entries(labels)),
});
const racks = (...names: readonly string[]): { readonly rack: string }[] => names.map((rack) => ({ rack }));
const none: ReadonlyMap<string, string> = new Map();

/** Every rack that may be picked. */
function picked(
  candidates: readonly { readonly rack: string }[],
  neighbours: readonly Neighbour[],
  labels: ReadonlyMap<string, string> = none,
): string[] {
  const entropy = mockEntropy(1);
  const found = Array.from({ length: 60 }, () => pickSpread(candidates, neighbours, labels, entropy)?.rack);
  return [...new Set(found)].filter((rack) => rack !== undefined).toSorted();
}

describe('a machine is taken', () => {
  test('from any rack when the project has none', () => {
    expect(picked(racks('r1', 'r2', 'r3'), [])).toEqual(['r1', 'r2', 'r3']);
  });

  test('from the racks with the fewest machines of the project', () => {
    expect(picked(racks('r1', 'r2', 'r3'), [at('r1'), at('r1'), at('r2')])).toEqual(['r3']);
    expect(picked(racks('r1', 'r2'), [at('r1'), at('r1'), at('r2'), at('r9')])).toEqual(['r2']);
  });

  test('from racks that are best by project and by placement label', () => {
    const neighbours = [at('r1', { tier: 'db' }), at('r2', { tier: 'web' }), at('r3'), at('r3')];
    expect(picked(racks('r1', 'r2', 'r3'), neighbours, new Map([['tier', 'db']]))).toEqual(['r2']);
  });

  test('from the racks that are best by label where none is best at both', () => {
    const neighbours = [at('r1', { tier: 'db' }), at('r2'), at('r2')];
    expect(picked(racks('r1', 'r2'), neighbours, new Map([['tier', 'db']]))).toEqual(['r2']);
  });

  test('from nowhere when there is none', () => {
    expect(picked([], [at('r1')])).toEqual([]);
  });

  test('so that racks never differ by more than one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 30 }),
        fc.integer(),
        (count, machines, seed) => {
          const entropy = mockEntropy(seed);
          const candidates = racks(...Array.from({ length: count }, (_, index) => `r${index}`));
          const taken: Neighbour[] = [];
          for (let index = 0; index < machines; index += 1)
            taken.push(at(pickSpread(candidates, taken, none, entropy)?.rack ?? ''));
          const counts = candidates.map(({ rack }) => taken.filter((one) => one.rack === rack).length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
