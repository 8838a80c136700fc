import type { Clock } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { lackingInBgpd, runningPart } from './compare.ts';
import type { ConfFiles } from './conf-files.ts';
import { createHolds } from './holds.ts';
import { createJudge, isFulfilled, type Judgement } from './judge.ts';
import { lintConf } from './lint.ts';
import type { Reload, ReloadFailure } from './reloader.ts';
import type { RenderedConf } from './render.ts';
import type { RunningFrr, Vtysh } from './vtysh.ts';
import { lineWords } from './words.ts';

export interface ApplierOptions {
  readonly files: ConfFiles;
  readonly vtysh: Vtysh;
  readonly reload: Reload;
  /** False: what FRR does not show of a file is reported, and nothing is rolled back for it. */
  readonly rollBack: boolean;
  readonly clock: Clock;
}

/** How an attempt to have FRR run a configuration ended. */
export interface ApplyOutcome {
  /**
   * `unchanged`: FRR runs it. `applied`: FRR runs it now. `refused`: nothing was touched. `rolled-back`: FRR runs the
   * last good one again. `broken`: neither runs, or that cannot be seen. `held`: it did not go well a while ago, and is
   * not tried again yet.
   */
  readonly result: 'unchanged' | 'applied' | 'refused' | 'rolled-back' | 'broken' | 'held';
  /** In words for the operator. Of `applied` and `unchanged`: what FRR runs all the same, or not for long. */
  readonly problems: readonly string[];
  /** Whether bgpd has ended during the reload, started again or not. */
  readonly crashed: boolean;
}

export type Applier = (wanted: RenderedConf, running: RunningFrr, signal: AbortSignal) => Promise<ApplyOutcome>;

// frr-reload is known to fail and to succeed at the second attempt (metal-core #200).
const ATTEMPTS = 2;
const RETRY_MS = 2000;
// What watches FRR starts a crashed bgpd again within seconds.
const RESTART_TRIES = 10;
const RESTART_STEP_MS = 1000;
const MAX_NAMED = 8;

/**
 * Makes FRR run a configuration, or keeps it running the one that it has. To be called again and again, one call at a
 * time: every call compares what runs with what is wanted, so that it does not matter where an earlier one, or an
 * earlier agent, was ended. The last good file is only ever replaced by one that FRR was seen to run.
 *
 * Rejects only with the reason of the signal.
 */
export function createApplier({ files, vtysh, reload, rollBack: isStrict, clock }: ApplierOptions): Applier {
  const holds = createHolds(clock);
  const judge = createJudge(isStrict);

  const observed = async (signal: AbortSignal): Promise<RunningFrr | undefined> => {
    const answer = await vtysh.running(signal);
    return answer.ok && answer.daemons.has('bgpd') ? answer : undefined;
  };

  const observedSoon = async (signal: AbortSignal): Promise<RunningFrr | undefined> => {
    let running = await observed(signal);
    for (let tries = 0; running === undefined && tries < RESTART_TRIES; tries += 1) {
      await clock.sleep(RESTART_STEP_MS, signal);
      running = await observed(signal);
    }
    return running;
  };

  /**
   * The second attempt first withdraws what is to go, and then adds: frr-reload, which does both at once, fails for good
   * at some mixtures (8.4: a firewall goes and a VRF comes), and skips lines in others (a VRF goes, and a family of
   * another one).
   */
  const reloadApart = async (wanted: RenderedConf, signal: AbortSignal): Promise<ReloadFailure | undefined> => {
    const running = await observed(signal);
    if (running !== undefined) {
      await files.install(runningPart(wanted.text, running.conf));
      await reload(signal);
      await files.install(wanted.text);
    }
    return reload(signal);
  };

  /** Has FRR load what is installed, in up to two attempts. */
  const load = async (wanted: RenderedConf, before: RunningFrr | undefined, signal: AbortSignal): Promise<Loaded> => {
    const failures: string[] = [];
    let crashed = false;
    let seen: Judgement | undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (attempt > 1) await clock.sleep(RETRY_MS, signal);
      const failure = attempt === 1 ? await reload(signal) : await reloadApart(wanted, signal);
      if (failure !== undefined) failures.push(failure.reason);
      let after = await observedSoon(signal);
      if (after !== undefined && lackingInBgpd(wanted.text, after).length > 0) {
        await vtysh.load(files.pathOfVtysh, signal);
        after = await observed(signal);
      }
      crashed ||= before !== undefined && pidOf(after) !== pidOf(before);
      seen = after === undefined ? undefined : judge(wanted, after);
      // What hangs once hangs again, and there may be no time left in this cycle to go back.
      if ((seen !== undefined && isFulfilled(seen)) || failure?.hung === true) break;
    }
    return { seen, failures, crashed };
  };

  const rollBack = async (
    wanted: RenderedConf,
    previous: string | undefined,
    { seen, failures, crashed }: Loaded,
    signal: AbortSignal,
  ): Promise<ApplyOutcome> => {
    const why = [
      ...(seen === undefined ? ['bgpd does not run after the reload'] : shorten(seen.missing)),
      ...failures.slice(-1),
    ];
    const target = (await files.good()) ?? previous;
    if (target === undefined || target === wanted.text) {
      return { result: 'broken', problems: [...why, 'there is no other frr.conf to go back to'], crashed };
    }
    await files.install(target);
    const goal: RenderedConf = { text: target, origin: () => undefined, vrfs: [] };
    const now = await observed(signal);
    // A reload that did nothing needs none to be undone.
    if (now !== undefined && isFulfilled(judge(goal, now))) return { result: 'rolled-back', problems: why, crashed };
    const restored = await load(goal, undefined, signal);
    if (restored.seen?.missing.length === 0) return { result: 'rolled-back', problems: why, crashed };
    const more = restored.failures.slice(-1).map((failure) => `going back to the last good frr.conf: ${failure}`);
    return { result: 'broken', problems: [...why, ...more, 'FRR does not run the last good frr.conf either'], crashed };
  };

  const change = async (
    wanted: RenderedConf,
    current: string | undefined,
    running: RunningFrr,
    signal: AbortSignal,
  ): Promise<ApplyOutcome> => {
    const broken = (problem: string): ApplyOutcome => ({ result: 'broken', problems: [problem], crashed: false });
    const refuse = (problems: readonly string[]): ApplyOutcome => {
      const named = shorten(problems);
      holds.hold(wanted.text, named);
      return { result: 'refused', problems: named, crashed: false };
    };
    const words = lineWords(wanted);
    const lint = lintConf(wanted.text, wanted.vrfs);
    if (lint.length > 0) return refuse(lint.map(({ line, reason }) => words(line, reason)));
    const syntax = await vtysh.check(await files.writeCandidate(wanted.text), signal);
    await files.dropCandidate();
    if (!syntax.ok) return broken(syntax.reason);
    if (syntax.problems.length > 0) return refuse(syntax.problems.map(({ line, reason }) => words(line, reason)));

    if (current !== wanted.text) await files.install(wanted.text);
    if (!running.daemons.has('bgpd')) return broken('bgpd does not run; it finds the new frr.conf when it starts');
    const loaded = await load(wanted, running, signal);
    const { seen, crashed } = loaded;
    if (seen === undefined || seen.missing.length > 0) {
      const outcome = await rollBack(wanted, current === wanted.text ? undefined : current, loaded, signal);
      holds.hold(wanted.text, outcome.problems);
      return outcome;
    }
    await files.keepGood(wanted.text);
    // What did not go away may go by itself (a session that is being torn down), but not at the cost of every cycle.
    const rest = [...shorten(seen.left), ...shorten(seen.lacking)];
    if (rest.length > 0) holds.hold(wanted.text, rest);
    else holds.clear();
    const crash = crashed ? ['bgpd crashed during the reload, and was started again'] : [];
    return { result: 'applied', problems: [...rest, ...shorten(seen.unlike), ...crash], crashed };
  };

  return async (wanted, running, signal) => {
    try {
      const current = await files.current();
      const seen = judge(wanted, running);
      if (current === wanted.text && isFulfilled(seen)) {
        if ((await files.good()) !== wanted.text) await files.keepGood(wanted.text);
        holds.clear();
        return { result: 'unchanged', problems: shorten(seen.unlike), crashed: false };
      }
      const held = holds.of(wanted.text, JSON.stringify(seen));
      if (held !== undefined) return { result: 'held', problems: held, crashed: false };
      return await change(wanted, current, running, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { result: 'broken', problems: [`frr.conf cannot be kept: ${reasonOf(error)}`], crashed: false };
    }
  };
}

interface Loaded {
  /** Undefined while bgpd does not run. */
  readonly seen: Judgement | undefined;
  /** What the reloads that failed have said. */
  readonly failures: readonly string[];
  readonly crashed: boolean;
}

function pidOf(running: RunningFrr | undefined): number | undefined {
  return running?.daemons.get('bgpd')?.pid;
}

function shorten(problems: readonly string[]): readonly string[] {
  if (problems.length <= MAX_NAMED) return problems;
  return [...problems.slice(0, MAX_NAMED), `and ${problems.length - MAX_NAMED} lines more`];
}
