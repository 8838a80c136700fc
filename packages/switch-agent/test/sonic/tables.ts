import { CONFIG_TABLES, configRows, type ConfigRows, type Fields } from '../../src/reconcile/tables.ts';
import type { Plan } from '../../src/reconcile/plan.ts';

/** `PORT|Ethernet0` → fields. */
export type FlatRows = Readonly<Record<string, Fields>>;

/** CONFIG_DB out of rows by their whole keys. */
export function configOf(rows: FlatRows): ConfigRows {
  const tables = Object.fromEntries(CONFIG_TABLES.map((table) => [table, new Map<string, Fields>()]));
  for (const [key, fields] of Object.entries(rows)) {
    const end = key.indexOf('|');
    tables[key.slice(0, end)]?.set(key.slice(end + 1), fields);
  }
  return configRows((table) => tables[table]);
}

/** The rows after the first `steps` actions of the plan; throws when an action does not fit what is there. */
export function carriedOut(rows: FlatRows, plan: Plan, steps: number = plan.actions.length): FlatRows {
  const after: Record<string, Fields> = { ...rows };
  for (const { changes, step } of plan.actions.slice(0, steps)) {
    for (const { table, key, before, after: fields } of changes) {
      const name = `${table}|${key}`;
      if (JSON.stringify(after[name]) !== JSON.stringify(before)) {
        throw new Error(`${step} expects ${name} to be ${JSON.stringify(before)}, not ${JSON.stringify(after[name])}`);
      }
      if (fields === undefined) delete after[name];
      else after[name] = fields;
    }
  }
  return after;
}
