import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import type { BmcCandidate } from './candidates.ts';
import { BmcError, BmcErrorCode, reasonOf } from './errors.ts';
import type { BmcFacts } from './facts.ts';
import { MAX_MACHINES } from './inventory.ts';
import { createLanes } from './lanes.ts';

/** What the API is told of a machine. */
export interface BmcReport {
  readonly uuid: string;
  readonly told: BmcCandidate['told'];
  readonly facts: BmcFacts;
  /** Milliseconds since the epoch. */
  readonly seenMs: number;
}

export interface ReportsOptions {
  readonly read: () => Promise<readonly BmcCandidate[]>;
  /** Asks the BMC for all that it tells. */
  readonly inspect: (candidate: BmcCandidate, signal: AbortSignal) => Promise<BmcFacts>;
  readonly send: (reports: readonly BmcReport[], signal: AbortSignal) => Promise<void>;
  readonly atOnce: number;
  readonly periodMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onRound: (answered: number, silent: number) => void;
  readonly signal: AbortSignal;
}

/** What is not read by then is left out. The list of sensors alone takes some BMCs half a minute. */
const LOOK_MS = 90_000;
// A request of the API's has room for thousands.
const MAX_IN_CALL = 500;

/**
 * Asks BMCs what they know of their machines and tells the API, at once and then every `periodMs`,
 * until the signal. A BMC that does not answer is not reported: the API shows by the age of its last report that nobody
 * hears of it. That it does not, and what a BMC does not tell, is in the log, once.
 */
export async function runReports(options: ReportsOptions): Promise<void> {
  const { clock, log, signal } = options;
  let said = '';
  const tell = { missing: missingTeller(log), ...silenceTeller(log) };
  while (!signal.aborted) {
    try {
      const reports = await look(options, tell);
      for (let at = 0; at < reports.length; at += MAX_IN_CALL)
        await options.send(reports.slice(at, at + MAX_IN_CALL), signal);
      if (said !== '') log.info({}, 'BMCs are reported again');
      said = '';
    } catch (error) {
      if (signal.aborted) return;
      const reason = reasonOf(error);
      if (said !== reason) log.warn({ reason }, 'BMCs are not reported');
      said = reason;
    }
    await clock.sleep(options.periodMs, signal).catch(() => undefined);
  }
}

async function look(options: ReportsOptions, tell: Teller): Promise<readonly BmcReport[]> {
  const { clock, signal } = options;
  const candidates = await options.read();
  const reports: BmcReport[] = [];
  const seen = new Set<string>();
  const lanes = createLanes<BmcCandidate>({
    atOnce: options.atOnce,
    keyOf: ({ name }) => name,
    async run(candidate) {
      const deadline = new AbortController();
      const timer = clock.setTimeout(
        () => deadline.abort(new BmcError(BmcErrorCode.Timeout, `not read within ${LOOK_MS / 1000} s`)),
        LOOK_MS,
      );
      try {
        const facts = await options.inspect(candidate, AbortSignal.any([signal, deadline.signal]));
        const uuid = candidate.uuid ?? facts.uuid;
        if (uuid === undefined) throw new BmcError(BmcErrorCode.Answer, 'the BMC does not say whose it is');
        // A BMC with two NICs has two leases; the inventory was asked first.
        if (seen.has(uuid)) return;
        seen.add(uuid);
        reports.push({ uuid, told: candidate.told, facts, seenMs: clock.now() });
        tell.answered(candidate.name);
        tell.missing(uuid, facts);
      } catch (error) {
        if (!signal.aborted) tell.silent(candidate.name, error);
      } finally {
        timer.cancel();
      }
    },
  });
  for (const candidate of candidates) {
    if (signal.aborted) break;
    await lanes.room(1);
    lanes.push(candidate);
  }
  await lanes.room(1);
  await lanes.drain(() => {});
  signal.throwIfAborted();
  options.onRound(reports.length, candidates.length - reports.length);
  return reports;
}

interface Teller {
  readonly missing: TellMissing;
  readonly silent: (name: string, error: unknown) => void;
  readonly answered: (name: string) => void;
}

/** Says of each BMC once why it is not reported, again when that changes, and when it is. */
function silenceTeller(log: Logger): Pick<Teller, 'silent' | 'answered'> {
  const said = new Map<string, string>();
  return {
    silent(bmc, error) {
      const kind = error instanceof BmcError ? error.code : reasonOf(error);
      if (said.get(bmc) === kind) return;
      if (said.size >= MAX_MACHINES) said.clear();
      said.set(bmc, kind);
      log.warn({ bmc, reason: reasonOf(error) }, 'a BMC is not reported');
    },
    answered(bmc) {
      if (said.delete(bmc)) log.info({ bmc }, 'a BMC is reported again');
    },
  };
}

type TellMissing = (uuid: string, facts: BmcFacts) => void;

/** Says of each machine once what its BMC does not tell, and again when that changes. */
function missingTeller(log: Logger): TellMissing {
  const said = new Map<string, string>();
  return (machine, { missing }) => {
    const facts = missing.map(({ fact }) => fact).join(', ');
    if ((said.get(machine) ?? '') === facts) return;
    if (said.size >= MAX_MACHINES) said.clear();
    said.set(machine, facts);
    if (facts === '') log.info({ machine }, 'the BMC of a machine tells everything now');
    else log.info({ machine, missing }, `the BMC of a machine does not tell: ${facts}`);
  };
}
