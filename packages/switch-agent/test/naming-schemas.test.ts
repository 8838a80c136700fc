import { expect, test } from 'vitest';
import { NAMING_SCHEMAS, namePorts } from '../src/naming.ts';
import { planCycle } from '../src/reconcile/plan.ts';
import { wishesOf } from '../src/reconcile/wishes.ts';
import { freshConfig, LEAF, machinePorts } from './sonic/leaf.ts';
import { configOf } from './sonic/tables.ts';

const ROWS = Object.fromEntries(
  freshConfig(machinePorts(2))
    .filter(([command]) => command === 'HSET')
    .map(([, key = '', ...fields]) => [
      key,
      Object.fromEntries(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : []))),
    ]),
);
const [FIRST = '', SECOND = ''] = machinePorts(2);
const ALIASES = new Map([
  [FIRST, 'etp1'],
  [SECOND, 'etp2'],
]);

test.each(NAMING_SCHEMAS)('under the naming schema %s the rows of the right ports are changed', (schema) => {
  const names = namePorts(
    schema,
    [...ALIASES].map(([name, alias]) => ({ name, alias })),
  );
  const nicOf = (port: string): string => names.ports.find((one) => one.port === port)?.nicName ?? '';
  expect(nicOf(FIRST)).toBe(schema === 'swap' || schema === 'alias' ? 'etp1' : FIRST);
  const plan = planCycle({
    config: configOf(ROWS),
    wishes: wishesOf({
      desired: { nics: [{ name: nicOf(FIRST), vrf: 'vrf70', state: 'down' }, { name: nicOf(SECOND) }] },
      leaf: LEAF,
      portOf: (nicName) => names.portOf(nicName),
      stickyAdmin: new Map(),
    }),
    leaf: LEAF,
    hostname: 'leaf01',
    logLevel: 'info',
  });
  expect(plan.problems).toEqual([]);
  expect(plan.model.vrfs).toEqual([expect.objectContaining({ name: 'Vrf70', ports: [FIRST] })]);
  const rows = plan.actions.flatMap(({ changes }) => changes);
  expect(rows).toContainEqual(
    expect.objectContaining({ table: 'PORT', key: FIRST, after: expect.objectContaining({ admin_status: 'down' }) }),
  );
  expect(rows.map(({ key }) => key)).toContain(FIRST);
  expect(rows.filter(({ key }) => key.includes('etp'))).toEqual([]);
  // A nic under the other of its two names is nobody's.
  const other = schema === 'default' || schema === 'name' ? 'etp1' : FIRST;
  expect(names.portOf(other)).toBeUndefined();
});
