import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Timer } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootPlan } from '../decide/boot-plan.ts';
import { parseStoredPlan } from '../decide/stored-plan.ts';
import { numberOf, textOf, toColumn } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

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
  /** Writes what waits to be written. */
  flush(): void;
}

/** Of each source: more NICs than one boot server will meet; the longest unasked for go. */
const MAX_ANSWERS = 65_536;
const PRUNE_EVERY = 1_024;
/** A commit for each turn of the event loop would cost more than the rows. */
const WRITE_AFTER_MS = 100;

/**
 * With `together`, the answers of 100 ms are written as one: nobody's boot waits for them, and what is lost with a
 * killed process is asked for again.
 */
export function bootStore(
  database: DatabaseSync,
  clock: Clock,
  together?: { readonly commits: GroupCommit; readonly log: Logger },
): BootStore {
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
    `DELETE FROM boot_plan WHERE source = ?1 AND mac IN
       (SELECT mac FROM boot_plan WHERE source = ?1 ORDER BY answered_at DESC LIMIT -1 OFFSET ?2)`,
  );
  /** Rows written since the last one, by source. */
  const sincePrune = new Map<string, number>();
  const read = (row: Record<string, unknown> | undefined): StoredPlan | undefined => {
    if (row === undefined) return undefined;
    // A plan that this version does not know, as after a downgrade, is as good as none.
    const plan = parseStoredPlan(textOf(row['plan'], 'plan'));
    return plan === undefined ? undefined : { plan, answeredAt: numberOf(row['answered_at'], 'answered_at') };
  };
  const unwritten = new Map<string, { source: string; mac: string; plan: BootPlan; answeredAt: number }>();
  /** Most machines of a source boot the same. */
  const texts = new WeakMap<BootPlan, string>();
  const jsonOf = (plan: BootPlan): string => {
    const known = texts.get(plan);
    if (known !== undefined) return known;
    const json = JSON.stringify(plan);
    texts.set(plan, json);
    return json;
  };
  const keyOf = (source: string, mac: string): string => `${source} ${mac}`;
  const write = (): void => {
    for (const { source, mac, plan, answeredAt } of unwritten.values()) {
      put.run(source, mac, jsonOf(plan), toColumn(answeredAt));
      const written = (sincePrune.get(source) ?? 0) + 1;
      sincePrune.set(source, written % PRUNE_EVERY);
      if (written === PRUNE_EVERY) prune.run(source, MAX_ANSWERS);
    }
    unwritten.clear();
  };
  let timer: Timer | undefined;
  const flush = (): void => {
    timer?.cancel();
    timer = undefined;
    if (unwritten.size === 0 || together === undefined || !database.isOpen) return;
    const { commits, log } = together;
    try {
      commits.run(() => {
        commits.willWrite();
        write();
      });
    } catch (error) {
      unwritten.clear();
      log.error({ err: error }, 'the last answers of the sources could not be written to dataDir');
    }
  };
  return {
    remember: (source, mac, plan) => {
      unwritten.delete(keyOf(source, mac));
      unwritten.set(keyOf(source, mac), { source, mac, plan, answeredAt: clock.now() });
      if (together === undefined) write();
      else timer ??= clock.setTimeout(flush, WRITE_AFTER_MS);
    },
    recall: (source, mac) => unwritten.get(keyOf(source, mac)) ?? read(get.get(source, mac)),
    // What is not written yet is newer than all that is.
    newest: (source) => [...unwritten.values()].findLast((each) => each.source === source) ?? read(last.get(source)),
    forget: (source, mac) => {
      unwritten.delete(keyOf(source, mac));
      remove.run(source, mac);
    },
    flush,
  };
}
