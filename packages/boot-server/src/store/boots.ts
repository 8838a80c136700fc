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
/** A commit for each turn of the event loop would cost more than the rows; what came in 100 ms would hold up packets. */
const WRITE_AFTER_MS = 20;

/** What is kept of one source. */
interface Answers {
  readonly unwritten: Map<string, StoredPlan>;
  /** NICs with a row: asking the table for one without costs as much as writing it. */
  readonly written: Set<string>;
}

/**
 * With `together`, the answers of 20 ms are written as one: nobody's boot waits for them, and what is lost with a
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
       (SELECT mac FROM boot_plan WHERE source = ?1 ORDER BY answered_at LIMIT ?2) RETURNING mac`,
  );
  const read = (row: Record<string, unknown> | undefined): StoredPlan | undefined => {
    if (row === undefined) return undefined;
    // A plan that this version does not know, as after a downgrade, is as good as none.
    const plan = parseStoredPlan(textOf(row['plan'], 'plan'));
    return plan === undefined ? undefined : { plan, answeredAt: numberOf(row['answered_at'], 'answered_at') };
  };
  const bySource = new Map<string, Answers>();
  const answersOf = (source: string): Answers => {
    const known = bySource.get(source);
    if (known !== undefined) return known;
    const answers: Answers = { unwritten: new Map(), written: new Set() };
    bySource.set(source, answers);
    return answers;
  };
  for (const { source, mac } of database.prepare('SELECT source, mac FROM boot_plan').iterate())
    answersOf(textOf(source, 'source')).written.add(textOf(mac, 'mac'));
  /** Most machines of a source boot the same. */
  const texts = new WeakMap<BootPlan, string>();
  const jsonOf = (plan: BootPlan): string => {
    const known = texts.get(plan);
    if (known !== undefined) return known;
    const json = JSON.stringify(plan);
    texts.set(plan, json);
    return json;
  };
  const write = (): void => {
    for (const [source, { unwritten, written }] of bySource) {
      for (const [mac, { plan, answeredAt }] of unwritten) {
        put.run(source, mac, jsonOf(plan), toColumn(answeredAt));
        written.add(mac);
      }
      unwritten.clear();
      if (written.size <= MAX_ANSWERS) continue;
      for (const { mac } of prune.all(source, written.size - MAX_ANSWERS)) written.delete(textOf(mac, 'mac'));
    }
  };
  const isWaiting = (): boolean => bySource.values().some(({ unwritten }) => unwritten.size > 0);
  let timer: Timer | undefined;
  const flush = (): void => {
    timer?.cancel();
    timer = undefined;
    if (!isWaiting() || together === undefined || !database.isOpen) return;
    const { commits, log } = together;
    try {
      commits.run(() => {
        commits.willWrite();
        write();
      });
    } catch (error) {
      for (const { unwritten } of bySource.values()) unwritten.clear();
      log.error({ err: error }, 'the last answers of the sources could not be written to dataDir');
    }
  };
  return {
    remember: (source, mac, plan) => {
      const { unwritten } = answersOf(source);
      unwritten.delete(mac);
      unwritten.set(mac, { plan, answeredAt: clock.now() });
      if (together === undefined) write();
      else timer ??= clock.setTimeout(flush, WRITE_AFTER_MS);
    },
    recall: (source, mac) => {
      const { unwritten, written } = answersOf(source);
      const waiting = unwritten.get(mac);
      if (waiting !== undefined) return waiting;
      return written.has(mac) ? read(get.get(source, mac)) : undefined;
    },
    // What is not written yet is newer than all that is.
    newest: (source) => [...answersOf(source).unwritten.values()].at(-1) ?? read(last.get(source)),
    forget: (source, mac) => {
      const { unwritten, written } = answersOf(source);
      unwritten.delete(mac);
      if (written.delete(mac)) remove.run(source, mac);
    },
    flush,
  };
}
