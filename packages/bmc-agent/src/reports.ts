import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { reasonOf } from './errors.ts';
import type { InventoryMachine } from './inventory.ts';
import { createLanes } from './lanes.ts';

/** What the API is told of a machine. */
export interface BmcReport {
  readonly machine: InventoryMachine;
  readonly isOn: boolean;
  /** Milliseconds since the epoch. */
  readonly seenMs: number;
}

export interface ReportsOptions {
  readonly read: () => Promise<readonly InventoryMachine[]>;
  /** Asks the BMC. */
  readonly isOn: (machine: InventoryMachine, signal: AbortSignal) => Promise<boolean>;
  readonly send: (reports: readonly BmcReport[], signal: AbortSignal) => Promise<void>;
  readonly atOnce: number;
  readonly periodMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onRound: (answered: number, silent: number) => void;
  readonly signal: AbortSignal;
}

const ANSWER_MS = 30_000;
// A request of the API's has room for thousands.
const MAX_IN_CALL = 500;

/**
 * Asks the BMCs of the inventory for the power state of their machines and tells the API, at once and then every
 * `periodMs`, until the signal. A BMC that does not answer is not reported: the API shows by the age of its last report
 * that nobody hears of it.
 */
export async function runReports(options: ReportsOptions): Promise<void> {
  const { clock, log, signal } = options;
  let said = '';
  while (!signal.aborted) {
    try {
      const reports = await look(options);
      for (let at = 0; at < reports.length; at += MAX_IN_CALL)
        await options.send(reports.slice(at, at + MAX_IN_CALL), signal);
      if (said !== '') log.info({}, 'the inventory is reported again');
      said = '';
    } catch (error) {
      if (signal.aborted) return;
      const reason = reasonOf(error);
      if (said !== reason) log.warn({ reason }, 'the BMCs of the inventory are not reported');
      said = reason;
    }
    await clock.sleep(options.periodMs, signal).catch(() => undefined);
  }
}

async function look(options: ReportsOptions): Promise<readonly BmcReport[]> {
  const { clock, log, signal } = options;
  const machines = await options.read();
  const reports: BmcReport[] = [];
  const lanes = createLanes<InventoryMachine>({
    atOnce: options.atOnce,
    keyOf: ({ uuid }) => uuid,
    async run(machine) {
      const deadline = new AbortController();
      const timer = clock.setTimeout(
        () => deadline.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)),
        ANSWER_MS,
      );
      try {
        const isOn = await options.isOn(machine, AbortSignal.any([signal, deadline.signal]));
        reports.push({ machine, isOn, seenMs: clock.now() });
      } catch (error) {
        if (!signal.aborted) log.debug({ machine: machine.uuid, reason: reasonOf(error) }, 'a BMC is not reported');
      } finally {
        timer.cancel();
      }
    },
  });
  for (const machine of machines) {
    if (signal.aborted) break;
    await lanes.room(1);
    lanes.push(machine);
  }
  await lanes.room(1);
  await lanes.drain();
  signal.throwIfAborted();
  options.onRound(reports.length, machines.length - reports.length);
  return reports;
}
