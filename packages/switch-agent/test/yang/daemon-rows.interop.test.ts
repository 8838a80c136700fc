import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DesiredNic } from '../../src/api.ts';
import type { ConfigDb } from '../../src/config-db/config-db.ts';
import { parseConfigDb } from '../../src/config-db/parse-config-db.ts';
import { configDbOfRedis, toRedisFields } from '../../src/config-db/redis-rows.ts';
import { planCycle } from '../../src/reconcile/plan.ts';
import type { Fields } from '../../src/reconcile/tables.ts';
import { wishesOf } from '../../src/reconcile/wishes.ts';
import { openValidator } from '../../src/validate/validate.ts';
import { printFinding } from '../../src/yang/finding.ts';
import { LEAF, machinePorts } from '../sonic/leaf.ts';
import { carriedOut, configOf, type FlatRows } from '../sonic/tables.ts';
import { sonicModels, whySkipped } from './models.ts';

const skipped = whySkipped(true);
const SEED = 20_261_121;
const MACHINES = machinePorts(8);

/** The rendered leaf that a daemon finds. */
function renderedLeaf(): FlatRows {
  const file = new URL('../generate/goldens/leaf-as7726.json', import.meta.url);
  const parsed = parseConfigDb('leaf', readFileSync(file, 'utf8'));
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return Object.fromEntries(
    Object.entries(parsed.value).flatMap(([table, rows]) =>
      Object.entries(rows).map(([key, row]) => [`${table}|${key}`, toRedisFields(row)] as const),
    ),
  );
}

function asConfigDb(rows: FlatRows): ConfigDb {
  const tables = new Map<string, Map<string, Fields>>();
  for (const [wholeKey, fields] of Object.entries(rows)) {
    const bar = wholeKey.indexOf('|');
    const table = wholeKey.slice(0, bar);
    const own = tables.get(table) ?? new Map<string, Fields>();
    tables.set(table, own);
    own.set(wholeKey.slice(bar + 1), fields);
  }
  return configDbOfRedis(tables);
}

const nicArbitrary = (name: string): fc.Arbitrary<DesiredNic> =>
  fc.oneof(
    fc.constant({ name }),
    fc.constant({ name, vrf: 'default' }),
    fc.constantFrom<DesiredNic>(
      { name, vrf: 'vrf1' },
      { name, vrf: 'vrf104001' },
      { name, vrf: 'vrf16777215', state: 'down' },
    ),
  );

describe.skipIf(skipped !== undefined)(
  `the daemon’s rows and SONiC’s models${skipped === undefined ? '' : `: ${skipped}`}`,
  () => {
    test('fit after every step from what machines are to what they become', async () => {
      const { signal } = new AbortController();
      await using validator = await openValidator({ modelsDir: sonicModels ?? '', signal });
      let rows = renderedLeaf();
      let steps = 0;
      for (const nics of fc.sample(fc.tuple(...MACHINES.map(nicArbitrary)), { seed: SEED, numRuns: 12 })) {
        const wishes = wishesOf({ desired: { nics }, leaf: LEAF, portOf: (name) => name, stickyAdmin: new Map() });
        const plan = planCycle({ config: configOf(rows), wishes, leaf: LEAF, hostname: 'leaf01', logLevel: 'info' });
        expect(plan.problems).toEqual([]);
        for (const [index, { subject, step, changes }] of plan.actions.entries()) {
          if (changes.length === 0) continue;
          const { findings, isComplete } = await validator.validate(asConfigDb(carriedOut(rows, plan, index + 1)));
          expect(isComplete).toBe(true);
          const errors = findings.filter(({ severity }) => severity === 'error').map(printFinding);
          expect(errors, `after ${step} of ${subject}`).toEqual([]);
          steps += 1;
        }
        rows = carriedOut(rows, plan);
      }
      expect(steps).toBeGreaterThan(50);
    });
  },
);
