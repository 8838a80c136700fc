import { Listr } from 'listr2';
import { phases, phaseTitles } from './timeline.ts';
import type { Phase } from './timeline.ts';

/** Shows the boots as they go on. */
export interface Display {
  /** A step of the set-up, before any machine is switched on. */
  step(text: string): void;
  machine(name: string): void;
  phase(machine: string, phase: Phase, atMs: number): void;
  note(text: string): void;
  /** Every machine waits, or has failed: nothing more will come. */
  end(failed: ReadonlyMap<string, string>): Promise<void>;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const withoutTftp = 'not needed: the firmware has an iPXE that speaks HTTP';

/** One line per event, for pipes and logs. */
export function createPlainDisplay(write: (line: string) => void): Display {
  const line = (time: string, machine: string, phase: Phase, words: string): void =>
    write(`${time.padStart(7)}  ${machine}  ${phase.padEnd(10)}  ${words}`);
  const fetchedByTftp = new Set<string>();
  return {
    step: write,
    machine: () => {},
    phase(machine, phase, atMs) {
      if (phase === 'tftp') fetchedByTftp.add(machine);
      if (phase === 'ipxe' && !fetchedByTftp.has(machine)) line('-', machine, 'tftp', withoutTftp);
      line(seconds(atMs), machine, phase, phaseTitles[phase]);
    },
    note: (text) => write(`         ${text}`),
    end: (failed) => {
      for (const [machine, reason] of failed) write(`         ${machine}  failed: ${reason}`);
      return Promise.resolve();
    },
  };
}

interface Progress {
  readonly waiters: Map<Phase, { reached(atMs: number | undefined): void; fail(reason: string): void }>;
  readonly reached: Map<Phase, number>;
  fail?: string;
}

/** TFTP is passed over by firmware that needs none; any other phase only if the end was reached without a sign of it. */
function isSkipped(machine: Progress, phase: Phase): boolean {
  const ends: readonly Phase[] = phase === 'tftp' ? phases.slice(phases.indexOf('ipxe')) : ['waiting'];
  return ends.some((end) => machine.reached.has(end));
}

/** A live list on a terminal: a spinner at the phase that each machine is in, its time beside every phase it has passed. */
export function createTerminalDisplay(write: (line: string) => void): Display {
  const progress = new Map<string, Progress>();
  let shown: Promise<unknown> | undefined;
  let notes: ((text: string) => void) | undefined;

  /** Resolves with the phase's time, or undefined when a later phase shows that the firmware skipped it. */
  const wait = (machine: Progress, phase: Phase): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const at = machine.reached.get(phase);
      if (at !== undefined) resolve(at);
      else if (isSkipped(machine, phase)) resolve(undefined);
      else if (machine.fail !== undefined) reject(new Error(machine.fail));
      else machine.waiters.set(phase, { reached: resolve, fail: (reason) => reject(new Error(reason)) });
    });

  const show = (): void => {
    const list = new Listr(
      [...progress].map(([name, machine]) => ({
        title: name,
        task: (_: unknown, task) => {
          notes = (text) => {
            task.output = text;
          };
          return task.newListr(
            phases.map((phase) => ({
              title: phaseTitles[phase],
              task: async (__: unknown, step) => {
                const at = await wait(machine, phase);
                if (at === undefined)
                  step.skip(phase === 'tftp' ? `TFTP ${withoutTftp}` : `${phaseTitles[phase]}: not seen`);
                else step.title = `${seconds(at).padStart(7)}  ${phaseTitles[phase]}`;
              },
            })),
            { concurrent: false, rendererOptions: { collapseSubtasks: false } },
          );
        },
        rendererOptions: { persistentOutput: true },
      })),
      {
        concurrent: true,
        exitOnError: false,
        registerSignalListeners: false,
        rendererOptions: { collapseErrors: false },
      },
    );
    shown = list.run().catch(() => undefined);
  };

  return {
    step: write,
    machine: (name) => void progress.set(name, { waiters: new Map(), reached: new Map() }),
    phase(name, phase, atMs) {
      if (shown === undefined) show();
      const machine = progress.get(name);
      if (machine === undefined) return;
      machine.reached.set(phase, atMs);
      machine.waiters.get(phase)?.reached(atMs);
      machine.waiters.delete(phase);
      for (const [earlier, waiter] of machine.waiters) if (isSkipped(machine, earlier)) waiter.reached(undefined);
    },
    note(text) {
      if (notes === undefined) write(text);
      else notes(text);
    },
    async end(failed) {
      for (const [name, reason] of failed) {
        const machine = progress.get(name);
        if (machine === undefined) continue;
        machine.fail = reason;
        for (const waiter of machine.waiters.values()) waiter.fail(reason);
      }
      await shown;
    },
  };
}
