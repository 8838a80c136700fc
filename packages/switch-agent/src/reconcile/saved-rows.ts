import type { ConfigDb, Row } from '../config-db/config-db.ts';
import { fromRedisFields, toRedisFields } from '../config-db/redis-rows.ts';
import { type Plan, planCycle, type PlanInput } from './plan.ts';
import { CONFIG_TABLES, configRows, type ConfigRows, type Fields, hasFields } from './tables.ts';
import type { Problem } from './wishes.ts';

/** A saved configuration with the rows that this agent owns brought to what is wanted. */
export interface SavedRows {
  readonly configDb: ConfigDb;
  /** Whether any row differs from what was saved. */
  readonly differs: boolean;
  /** What cannot be saved, because rows that it needs are not in the file. */
  readonly problems: readonly Problem[];
}

/**
 * Carries out on a saved configuration what the cycle carries out on the running one, by the same plan: so the same rows
 * are this agent's, and every other row, saved or not, stays as the file has it. `running` says which VLANs the VRFs
 * have, so that the leaf comes up with those.
 */
export function savedRows(saved: ConfigDb, running: Plan, input: Omit<PlanInput, 'config'>): SavedRows {
  const before = rowsOfSaved(saved);
  const vlans = new Map(running.model.vrfs.map(({ vni, vlan }) => [vni, vlan]));
  // VLANs that the file gives to others now: first all is taken out that is not so any more, as if its ports were free.
  const agreeing = planCycle({ ...input, config: before, wishes: withoutMoved(before, vlans, input) });
  const cleared = carriedOut(before, agreeing);
  const plan = planCycle({ ...input, config: cleared, preferredVlans: vlans });
  const after = carriedOut(cleared, plan);
  const known = new Set(running.problems.map(textOf));
  return {
    ...merged(saved, before, after),
    problems: plan.problems.filter((problem) => !known.has(textOf(problem))),
  };
}

function withoutMoved(
  saved: ConfigRows,
  vlans: ReadonlyMap<number, number>,
  { wishes }: Pick<PlanInput, 'wishes'>,
): PlanInput['wishes'] {
  const mapped = new Set([...saved.VXLAN_TUNNEL_MAP.values()].map(({ vni = '', vlan = '' }) => `${vni} ${vlan}`));
  const [same, moved] = [true, false].map((isSame) =>
    wishes.tenants.filter(({ vni }) => mapped.has(`${vni} Vlan${vlans.get(vni) ?? 0}`) === isSame),
  );
  return {
    ...wishes,
    tenants: same ?? [],
    unprovisioned: [...wishes.unprovisioned, ...(moved ?? []).flatMap(({ ports }) => ports)],
  };
}

function rowsOfSaved(saved: ConfigDb): ConfigRows {
  return configRows(
    (table) => new Map(Object.entries(saved[table] ?? {}).map(([key, row]) => [key, toRedisFields(row)])),
  );
}

function carriedOut(config: ConfigRows, { actions }: Plan): ConfigRows {
  const changes = actions.flatMap((action) => action.changes);
  return configRows((table) => {
    const rows = new Map<string, Fields>(config[table]);
    for (const change of changes) {
      if (change.table !== table) continue;
      if (change.after === undefined) rows.delete(change.key);
      else rows.set(change.key, change.after);
    }
    return rows;
  });
}

function merged(saved: ConfigDb, before: ConfigRows, after: ConfigRows): Omit<SavedRows, 'problems'> {
  const tables: Record<string, Readonly<Record<string, Row>>> = { ...saved };
  let differs = false;
  for (const table of CONFIG_TABLES) {
    const rows = new Map(Object.entries(saved[table] ?? {}));
    for (const key of new Set([...before[table].keys(), ...after[table].keys()])) {
      const [old, next] = [before[table].get(key), after[table].get(key)];
      if (old !== undefined && hasFields(next, old) && hasFields(old, next ?? {})) continue;
      differs = true;
      if (next === undefined) rows.delete(key);
      else rows.set(key, fromRedisFields(next));
    }
    if (rows.size > 0 || saved[table] !== undefined) tables[table] = Object.fromEntries(rows);
  }
  return { configDb: tables, differs };
}

function textOf({ subject, reason }: Problem): string {
  return `${subject}: ${reason}`;
}
