import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import type { BootPlan } from '../decide/boot-plan.ts';
import { parseStoredPlan } from '../decide/stored-plan.ts';
import { numberOf, textOf, toColumn } from './database.ts';

/** A source's last answer for a NIC. */
export interface StoredPlan {
  readonly plan: BootPlan;
  /** Milliseconds since the epoch. */
  readonly answeredAt: number;
}

/** The last answers of the sources, for the time when they are away. */
export interface BootStore {
  remember(source: string, mac: string, plan: BootPlan): void;
  recall(source: string, mac: string): StoredPlan | undefined;
  /** The source's newest answer for any NIC. */
  newest(source: string): StoredPlan | undefined;
  forget(source: string, mac: string): void;
}

/** More NICs than one boot server will meet; the longest unasked for go. */
const MAX_ANSWERS = 65_536;
const PRUNE_EVERY = 1_024;

export function bootStore(database: DatabaseSync, clock: Clock): BootStore {
  const put = database.prepare(
    `INSERT INTO boot_plan (source, mac, plan, answered_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (source, mac) DO UPDATE SET plan = excluded.plan, answered_at = excluded.answered_at`,
  );
  const get = database.prepare('SELECT plan, answered_at FROM boot_plan WHERE source = ? AND mac = ?');
  const last = database.prepare(
    'SELECT plan, answered_at FROM boot_plan WHERE source = ? ORDER BY answered_at DESC, mac LIMIT 1',
  );
  const remove = database.prepare('DELETE FROM boot_plan WHERE source = ? AND mac = ?');
  const prune = database.prepare(
    `DELETE FROM boot_plan WHERE (source, mac) IN
       (SELECT source, mac FROM boot_plan ORDER BY answered_at DESC LIMIT -1 OFFSET ?)`,
  );
  let sincePrune = 0;
  const read = (row: Record<string, unknown> | undefined): StoredPlan | undefined => {
    if (row === undefined) return undefined;
    // A plan that this version does not know, as after a downgrade, is as good as none.
    const plan = parseStoredPlan(textOf(row['plan'], 'plan'));
    return plan === undefined ? undefined : { plan, answeredAt: numberOf(row['answered_at'], 'answered_at') };
  };
  return {
    remember: (source, mac, plan) => {
      put.run(source, mac, JSON.stringify(plan), toColumn(clock.now()));
      sincePrune += 1;
      if (sincePrune < PRUNE_EVERY) return;
      sincePrune = 0;
      prune.run(MAX_ANSWERS);
    },
    recall: (source, mac) => read(get.get(source, mac)),
    newest: (source) => read(last.get(source)),
    forget: (source, mac) => void remove.run(source, mac),
  };
}
