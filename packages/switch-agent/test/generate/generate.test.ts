import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printConfigDb } from '../../src/config-db/print-config-db.ts';
import { generateConfigDb } from '../../src/generate/generate.ts';
import { randomConfigs } from './random-config.ts';

describe('any valid configuration', () => {
  test('is taken, and comes out the same twice', () => {
    fc.assert(
      fc.property(randomConfigs(), ({ onSwitch, yaml }) => {
        const once = generateConfigDb('sonic-config.yaml', yaml, onSwitch.target);
        expect(once.ok ? [] : once.problems).toEqual([]);
        const twice = generateConfigDb('sonic-config.yaml', yaml, onSwitch.target);
        expect(once.ok && twice.ok && printConfigDb(once.configDb) === printConfigDb(twice.configDb)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
