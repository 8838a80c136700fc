import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { systemClock } from '@ingot/net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfigDb } from '../../src/config-db/parse-config-db.ts';
import type { Row } from '../../src/config-db/config-db.ts';
import { generateConfigDb } from '../../src/generate/generate.ts';
import { openValidator, validateConfigDb, type Validator } from '../../src/validate/validate.ts';
import { checkByModels } from '../../src/yang/check-by-models.ts';
import type { LeafModel } from '../../src/yang/model-index.ts';
import { openYangModels } from '../../src/yang/yang-models.ts';
import { printFinding, type Finding } from '../../src/yang/finding.ts';
import { randomConfigs } from '../generate/random-config.ts';
import { testSwitches } from '../platforms/platforms.ts';
import { goodLeaf } from './good-leaf.ts';
import { sonicModels, whySkipped } from './models.ts';
import { mutate, mutations } from './mutations.ts';

const skipped = whySkipped(true);
const GOLDENS = fileURLToPath(new URL('../generate/goldens', import.meta.url));
const GARBAGE = '€ \'"]';
const SEED = 20_261_121;
const RENDERED = 300;

describe.skipIf(skipped !== undefined)(`SONiC’s own models${skipped === undefined ? '' : `: ${skipped}`}`, () => {
  const { signal } = new AbortController();
  let validator: Validator;
  beforeAll(async () => {
    validator = await openValidator({ modelsDir: sonicModels ?? '', signal });
  });
  afterAll(() => validator[Symbol.asyncDispose]());

  const errors = (findings: readonly Finding[]): readonly string[] =>
    findings.filter(({ severity }) => severity === 'error').map(printFinding);

  test('take a leaf as the agent runs it, with a warning of the table that has no model', async () => {
    const { isValid, isComplete, findings } = await validator.validate(goodLeaf());
    expect({ isValid, isComplete, findings: findings.map(printFinding) }).toEqual({
      isValid: true,
      isComplete: true,
      findings: ['warning: SUPPRESS_VLAN_NEIGH: no YANG model describes this table, so its rows are not checked'],
    });
  });

  test('refuse that table when asked to, as SONiC’s generic updater does', async () => {
    const { isValid, findings } = await validateConfigDb(goodLeaf(), {
      modelsDir: sonicModels ?? '',
      signal,
      strictTables: true,
    });
    expect(isValid).toBe(false);
    expect(findings).toMatchObject([{ severity: 'error', table: 'SUPPRESS_VLAN_NEIGH' }]);
  });

  test.each(mutations.map((mutation) => [mutation.name, mutation] as const))(
    'refuse by name: %s',
    async (_name, mutation) => {
      const { isValid, isComplete, findings } = await validator.validate(mutate(goodLeaf(), [mutation]));
      expect({ isValid, isComplete }).toEqual({ isValid: false, isComplete: true });
      const told = errors(findings);
      expect(
        told.filter((line) => line.startsWith(`${mutation.place}: `) && line.includes(mutation.words)),
        told.join('\n'),
      ).toHaveLength(1);
      expect(told.join()).not.toContain('geheim');
    },
  );

  test('find all that is wrong in one go', async () => {
    // Of two mutations of one field the later would win.
    const places = new Set<string>();
    const together = mutations.filter(({ table, key, fields = {}, onlyAlone }) => {
      const own = Object.keys(fields).map((field) => `${table}|${key} ${field}`);
      if (onlyAlone === true || own.some((place) => places.has(place)) || places.has(`${table}|${key}`)) return false;
      for (const place of [`${table}|${key}`, ...own]) places.add(place);
      return true;
    });
    expect(together.length).toBeGreaterThan(25);
    const { findings, isComplete } = await validator.validate(mutate(goodLeaf(), together));
    const told = errors(findings);
    expect(isComplete).toBe(true);
    const unseen = together.filter(({ place }) => !told.some((line) => line.startsWith(`${place}: `)));
    expect(unseen.map(({ name }) => name)).toEqual([]);
  });

  // Fields and rows that only Edgecore's own models know; the ones here are upstream's.
  const foreign = (distribution: string, { table, key, field }: Finding): boolean =>
    distribution.startsWith('edgecore') &&
    (`${table} ${field}` === 'PORTCHANNEL mix_speed' ||
      `${table} ${field}` === 'MCLAG_DOMAIN mclag_system_id' ||
      (distribution === 'edgecore-202111' && (table === 'LLDP' || `${table}|${key}` === 'VLAN|Vlan1')));

  test('place whatever is wrong, in every table', async () => {
    await using models = await openYangModels({ modelsDir: sonicModels ?? '', clock: systemClock, signal });
    expect(models.index.size).toBeGreaterThan(200);
    for (const [name, { containers, lists }] of models.index) {
      const wrong = (fields: ReadonlyMap<string, LeafModel>): Row =>
        Object.fromEntries([...fields].map(([field, { isList }]) => [field, isList ? [GARBAGE] : GARBAGE]));
      const rows = Object.fromEntries<Row>([
        ...[...containers].map(([key, { fields }]) => [key, wrong(fields)] as const),
        ...lists.map(({ keys, fields, map }): readonly [string, Row] => [
          keys.map((_, part) => `k${part}`).join('|'),
          map === undefined ? wrong(fields) : { [GARBAGE]: GARBAGE },
        ]),
      ]);
      const { findings, isComplete } = await checkByModels({ [name]: rows }, models, systemClock);
      // CRM has more fields than one run finds errors.
      expect(isComplete || findings.length >= 100, name).toBe(true);
      const places = findings.filter(
        ({ table, key }) => table !== name || (key !== undefined && !Object.hasOwn(rows, key)),
      );
      expect(places).toEqual([]);
    }
  });

  test('name a table that may not be there at all, and go on', async () => {
    const { findings } = await validator.validate({
      DNS_OPTIONS: { GLOBAL: { attempts: '1' } },
      VLAN: { Vlan2: { vlanid: '3' } },
    });
    expect(errors(findings)).toEqual([
      expect.stringMatching(/^DNS_OPTIONS: breaks a rule of the model: When condition "count\(/),
      expect.stringMatching(/^VLAN\|Vlan2 vlanid: /),
    ]);
  });

  const goldens = globSync('*.json', { cwd: GOLDENS });
  test.each(goldens.map((name) => [name]))('take the example %s', async (name) => {
    const parsed = parseConfigDb(name, readFileSync(join(GOLDENS, name), 'utf8'));
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
    const { findings, isComplete } = await validator.validate(parsed.value);
    // The one of Edgecore 202111: its own models know these.
    const distribution = name === 'mgmt-leaf-as4630.json' ? 'edgecore-202111' : 'community';
    expect(isComplete).toBe(true);
    expect(errors(findings.filter((finding) => !foreign(distribution, finding)))).toEqual([]);
  });

  test(`take ${RENDERED} generated configurations, of every platform`, { timeout: 120_000 }, async () => {
    const seen = new Set<string>();
    for (const { onSwitch, yaml } of fc.sample(randomConfigs(), { seed: SEED, numRuns: RENDERED })) {
      const generated = generateConfigDb('sonic-config.yaml', yaml, onSwitch.target);
      if (!generated.ok) throw new Error(generated.problems.join('\n'));
      const { findings, isComplete } = await validator.validate(generated.configDb);
      const wrong = errors(findings.filter((finding) => !foreign(onSwitch.target.distribution.name, finding)));
      expect(isComplete).toBe(true);
      expect(wrong, yaml).toEqual([]);
      seen.add(onSwitch.name);
    }
    expect([...seen].toSorted()).toEqual([...testSwitches.keys()].toSorted());
  });
});
