import type { Logger, LogLevel } from '@ingot/daemon';
import type { DesiredSwitch } from '../api.ts';
import type { Problems } from '../problems.ts';
import { execute, type Executor, type Outcome } from './execute.ts';
import type { ConfigSaver } from './config-saver.ts';
import { observeConfig } from './observe.ts';
import { type Plan, planCycle } from './plan.ts';
import { portsLost, type Remembered, readRemembered, writeRemembered } from './desired-file.ts';
import type { Fields } from './tables.ts';
import { type AdminStatus, type LeafConfig, type Problem, wishesOf } from './wishes.ts';

export interface ReconcilerOptions extends Executor {
  readonly hostname: string;
  readonly logLevel: LogLevel;
  readonly leaf: LeafConfig;
  /** False: look and say what differs, change nothing. */
  readonly reconfigure: boolean;
  /** Where the last desired state is kept; the folder exists. */
  readonly stateFile: string;
  /** Absent: the saved configuration is left alone. */
  readonly saver?: ConfigSaver | undefined;
  readonly problems: Problems;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** One cycle, looked back on. */
export interface CycleReport {
  readonly plan: Plan;
  /** The administrative status of each port, by SONiC's name, as the cycle has found it. */
  readonly admin: ReadonlyMap<string, AdminStatus>;
  /** Absent when nothing may be changed. */
  readonly outcome?: Outcome;
}

export interface Reconciler {
  /**
   * Brings the switch one cycle closer to what the API wants, or, while it has not said anything since the start, to
   * what it wanted last. Undefined when neither is known. Rejects when a database fails or the signal is aborted.
   */
  cycle(
    desired: DesiredSwitch | undefined,
    portOf: (nicName: string) => string | undefined,
    signal: AbortSignal,
  ): Promise<CycleReport | undefined>;
  /**
   * The API does not know the switch any more: its database is lost, or was restored from before. Until it wants a VRF
   * for some port again, the ports stay as they were last wanted.
   */
  forget(): void;
}

/**
 * Level-triggered: every cycle reads what is there and computes anew what is to be done, so that it does not matter
 * where the one before ended, or who has changed what since.
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { problems, log } = options;
  let remembered: Remembered | undefined;
  let isRead = false;
  let isForgotten = false;
  let written = '';
  let reported = new Set<string>();
  let lastDrift = 0;

  const recall = async (): Promise<void> => {
    if (isRead) return;
    isRead = true;
    try {
      remembered = await readRemembered(options.stateFile);
      if (remembered !== undefined) written = textOf(remembered);
      if (remembered?.forgotten === true) isForgotten = true;
    } catch (error) {
      log.warn({ error }, 'starting without the last desired state');
    }
  };

  /** Before anything is applied: a port that is down must still be when the API has forgotten that it wanted it so. */
  const remember = async (fresh: Remembered): Promise<void> => {
    remembered = fresh;
    if (!options.reconfigure) return;
    const text = textOf(fresh);
    if (text === written) return;
    try {
      await writeRemembered(options.stateFile, fresh);
      written = text;
      problems.clear('state-file');
    } catch (error) {
      problems.report('state-file', error);
    }
  };

  /** What counts as the API's wish; undefined while nobody knows. */
  const wantedOf = (desired: DesiredSwitch | undefined): DesiredSwitch | undefined => {
    if (desired === undefined) return remembered?.desired;
    const lost = portsLost(remembered && { ...remembered, forgotten: isForgotten }, desired);
    if (lost > 0) {
      problems.report(
        'forgotten',
        `the API had lost this switch, and wants none of its ${lost} bound ports in a VRF any more; they stay as they were: restore the API's database, or, if that is meant, stop the agent and remove ${options.stateFile}`,
      );
      return remembered?.desired;
    }
    isForgotten = false;
    problems.clear('forgotten');
    return desired;
  };

  const tell = (found: readonly Problem[]): void => {
    const bySubject = new Map<string, string[]>();
    for (const { subject, reason } of found) {
      const reasons = bySubject.get(subject) ?? [];
      bySubject.set(subject, reasons);
      if (!reasons.includes(reason)) reasons.push(reason);
    }
    for (const [subject, reasons] of bySubject) problems.report(subject, reasons.join('; '));
    for (const subject of reported) if (!bySubject.has(subject)) problems.clear(subject);
    reported = new Set(bySubject.keys());
  };

  return {
    forget: () => {
      isForgotten = true;
    },
    cycle: async (desired, portOf, signal) => {
      await recall();
      const wanted = wantedOf(desired);
      if (wanted === undefined) return undefined;
      const stickyAdmin = remembered?.admin ?? new Map<string, AdminStatus>();
      const wishes = wishesOf({ desired: wanted, leaf: options.leaf, portOf, stickyAdmin });
      const admin = new Map([...stickyAdmin, ...wishes.admin]);
      await remember({ desired: wanted, admin, ...(isForgotten ? { forgotten: true } : {}) });
      const config = await observeConfig(options.configDb);
      const input = { wishes, leaf: options.leaf, hostname: options.hostname, logLevel: options.logLevel };
      const plan = planCycle({ ...input, config });
      const found = new Map([...config.PORT].map(([port, row]) => [port, adminOf(row)] as const));
      const drift = plan.actions.reduce((sum, { changes }) => sum + changes.length, 0);
      if (!options.reconfigure) {
        tell(plan.problems);
        if (drift !== lastDrift) log.info({ rows: drift }, 'rows that differ; reconfigure is off, so they stay');
        lastDrift = drift;
        return { plan, admin: found };
      }
      const outcome = await execute(plan, options, signal);
      if (drift > 0) log.info({ actions: summary(outcome) }, 'the switch was reconfigured');
      tell([...plan.problems, ...outcome.problems]);
      if (drift === 0 && outcome.problems.length === 0) await options.saver?.save(plan, input);
      return { plan, admin: found, outcome };
    },
  };
}

function textOf({ desired, admin, forgotten = false }: Remembered): string {
  return JSON.stringify([desired, [...admin], forgotten]);
}

function adminOf(row: Fields): AdminStatus {
  // SONiC's default for a port without it is down.
  return row['admin_status'] === 'up' ? 'up' : 'down';
}

/** For the log: the steps that were taken, by subject. */
function summary({ done }: Outcome): Readonly<Record<string, string>> {
  const bySubject: Record<string, string> = {};
  for (const { subject, step } of done) {
    bySubject[subject] = bySubject[subject] === undefined ? step : `${bySubject[subject]}, ${step}`;
  }
  return bySubject;
}
