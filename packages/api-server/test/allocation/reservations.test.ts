import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { balance, mayTake, type Reserved } from '../../src/allocation/reservations.ts';

const reserved = (...list: readonly (readonly [string, number])[]): Reserved[] =>
  list.map(([project, amount]) => ({ project, amount }));

describe('a project may take a machine', () => {
  test.each<[string, boolean, number, readonly Reserved[], Readonly<Record<string, number>>]>([
    ['when nothing is reserved', true, 1, [], {}],
    ['not when there is none', false, 0, [], {}],
    ['not when all that is left is kept for another', false, 2, reserved(['b', 2]), {}],
    ['when more is left than is kept', true, 3, reserved(['b', 2]), {}],
    ['when the other has used its reservation', true, 1, reserved(['b', 2]), { b: 2 }],
    ['when it has a reservation with room', true, 1, reserved(['a', 1], ['b', 5]), {}],
    ['not when its reservation is used up and the rest is kept', false, 2, reserved(['a', 1], ['b', 2]), { a: 1 }],
    // Upstream: b's surplus of 3 makes the promise to c vanish.
    ['not on account of another project that has too many', false, 2, reserved(['b', 1], ['c', 2]), { b: 4 }],
    ['not on account of it, whatever the order', false, 2, reserved(['c', 2], ['b', 1]), { b: 4 }],
    ['by two reservations of its own as by one', true, 1, reserved(['a', 1], ['a', 1], ['b', 9]), { a: 1 }],
  ])('%s', (_name, expected, available, list, allocated) => {
    expect(mayTake(available, list, new Map(Object.entries(allocated)), 'a')).toBe(expected);
  });
});

test('the balance names what is reserved, used, kept and owed', () => {
  const found = balance(
    reserved(['a', 3], ['b', 2], ['c', 1]),
    new Map([
      ['a', 1],
      ['b', 5],
    ]),
    'a',
  );
  expect(found).toEqual({ reservations: 6, used: 3, keptForOthers: 1, owed: 2 });
});

test('no sequence of takes and frees leaves a project without what it was promised', () => {
  const projects = ['a', 'b', 'c', 'd'] as const;
  const step = fc.record({ project: fc.constantFrom(...projects), frees: fc.boolean() });
  const amounts = fc.record({ a: fc.nat(4), b: fc.nat(4), c: fc.nat(4) });
  fc.assert(
    fc.property(fc.nat(6), amounts, fc.array(step, { maxLength: 60 }), (surplus, promised, steps) => {
      const list = Object.entries(promised)
        .filter(([, amount]) => amount > 0)
        .map(([project, amount]) => ({ project, amount }));
      // Promises that can be kept: as many machines as are reserved, and some more.
      let available = surplus + list.reduce((sum, { amount }) => sum + amount, 0);
      const allocated = new Map<string, number>();
      for (const { project, frees } of steps) {
        const has = allocated.get(project) ?? 0;
        if (frees && has > 0) {
          allocated.set(project, has - 1);
          available += 1;
        } else if (!frees && mayTake(available, list, allocated, project)) {
          allocated.set(project, has + 1);
          available -= 1;
        }
        const owed = list.reduce((sum, one) => sum + Math.max(0, one.amount - (allocated.get(one.project) ?? 0)), 0);
        expect(available).toBeGreaterThanOrEqual(owed);
      }
      for (const { project, amount } of list)
        for (let has = allocated.get(project) ?? 0; has < amount; has += 1) {
          expect(mayTake(available, list, allocated, project)).toBe(true);
          allocated.set(project, has + 1);
          available -= 1;
        }
    }),
    { numRuns: 1000 },
  );
});
