import type { Clock } from '@ingot/net';
import type { FabricModel } from '../fabric-model.ts';
import { reasonOf } from '../errors.ts';
import type { SonicStore } from '../sonic-db.ts';
import { type Condition, Step } from './actions.ts';
import type { FrrPort } from './frr-port.ts';
import { type Hardware, type HardwareDatabases, readHardware, unmet } from './hardware.ts';
import type { Plan } from './plan.ts';
import type { OrderedAction } from './rules.ts';
import type { Problem } from './wishes.ts';

export interface Executor {
  readonly configDb: SonicStore;
  readonly hardware: HardwareDatabases;
  /** Absent: this agent leaves FRR alone. */
  readonly frr?: FrrPort | undefined;
  readonly clock: Clock;
  /** How long one action may wait for what the rules ask, milliseconds. */
  readonly waitMs: number;
  /** How long between two looks at the hardware, milliseconds: at first, and at most. */
  readonly pollMs: readonly [first: number, longest: number];
  /** Called before each action is carried out. A test ends the process here. */
  readonly onAction?: (action: OrderedAction) => void;
}

export interface Outcome {
  /** In the order in which they were done. */
  readonly done: readonly OrderedAction[];
  /** What was left out because something that it needs failed. */
  readonly skipped: readonly OrderedAction[];
  readonly problems: readonly Problem[];
}

/** What the rules ask for, but whose absence a few seconds later is no reason to wait on. */
const SOFT: ReadonlySet<Condition['kind']> = new Set(['port-settled', 'vlan-settled']);

type State = 'pending' | 'done' | 'failed' | 'skipped';

/**
 * Carries out a plan: each action as soon as those that it has to follow are over and the hardware is as the rules ask.
 * A slow port holds up itself and what needs it, and nothing else. Rejects when the signal is aborted or a database
 * fails; whatever has been written by then is where the next cycle starts.
 */
export async function execute(plan: Plan, executor: Executor, signal: AbortSignal): Promise<Outcome> {
  const { clock } = executor;
  const states: State[] = plan.actions.map(() => 'pending');
  const since = new Map<number, number>();
  const done: OrderedAction[] = [];
  const problems: Problem[] = [];
  let frrProblems: readonly string[] = [];
  let delayMs = executor.pollMs[0];

  const isOver = (index: number): boolean => states[index] !== 'pending';

  for (;;) {
    signal.throwIfAborted();
    const candidates: Array<readonly [index: number, action: OrderedAction]> = [];
    plan.actions.forEach((action, index) => {
      if (isOver(index) || !action.after.every(isOver)) return;
      // FRR gets what can be had; everything else needs all that it builds on.
      const isBlocked = action.after.some(
        (before) => states[before] !== 'done' && plan.actions[before]?.step !== Step.Withdraw,
      );
      if (isBlocked && action.step !== Step.Configure) states[index] = 'skipped';
      else candidates.push([index, isMoot(action, executor) ? { ...action, until: [] } : action]);
    });
    if (candidates.length === 0) {
      // Those that were skipped just now may have set others free to be skipped.
      if (states.includes('pending')) continue;
      break;
    }
    const view = await look(candidates, executor, signal);
    const nowMs = clock.monotonic();
    const ready: typeof candidates = [];
    for (const [index, action] of candidates) {
      const startedMs = since.get(index) ?? nowMs;
      since.set(index, startedMs);
      const isLate = nowMs - startedMs >= executor.waitMs;
      const missing = missingOf(action, view, isLate);
      // FRR gets what there is; the others are tried again in the next cycle.
      if (missing === undefined || (isLate && action.step === Step.Configure)) ready.push([index, action]);
      if (missing !== undefined && isLate) {
        if (action.step !== Step.Configure) states[index] = 'failed';
        problems.push({ subject: action.subject, reason: `${missing}, after ${Math.round(executor.waitMs / 1000)} s` });
      }
    }
    if (ready.length === 0) {
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, executor.pollMs[1]);
      continue;
    }
    [delayMs] = executor.pollMs;
    const isFrr = ({ step }: OrderedAction): boolean => step === Step.Withdraw || step === Step.Configure;
    const rows = ready.filter(([, action]) => !isFrr(action));
    if (rows.length > 0) {
      for (const [, action] of rows) executor.onAction?.(action);
      const conflicts = await executor.configDb.write(rows.map(([, { changes }]) => changes));
      rows.forEach(([index, action], at) => {
        const conflict = conflicts[at];
        if (conflict === undefined) {
          states[index] = 'done';
          done.push(action);
        } else {
          states[index] = 'failed';
          const reason = `${conflict} was changed by somebody else meanwhile; the next cycle looks again`;
          problems.push({ subject: action.subject, reason });
        }
      });
    }
    for (const [index, action] of ready.filter(([, each]) => isFrr(each))) {
      executor.onAction?.(action);
      frrProblems = await applyFrr(modelFor(plan, action, states, view.hardware), executor, signal);
      states[index] = 'done';
      done.push(action);
    }
  }
  problems.push(...frrProblems.map((reason) => ({ subject: 'FRR', reason })));
  return { done, skipped: plan.actions.filter((_, index) => states[index] === 'skipped'), problems };
}

/** An FRR that is left alone is nothing to wait for. */
function isMoot({ step }: OrderedAction, { frr }: Executor): boolean {
  return frr === undefined && step === Step.Configure;
}

/** What the rules ask for and is not so, in words; undefined when the action may start. */
function missingOf(action: OrderedAction, view: View, isLate: boolean): string | undefined {
  const reasons = action.until.flatMap((condition) => {
    if (isLate && SOFT.has(condition.kind)) return [];
    return unmet(view.hardware, view.neighbors, condition) ?? [];
  });
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

interface View {
  readonly hardware: Hardware;
  readonly neighbors: ReadonlySet<string>;
}

async function look(
  candidates: ReadonlyArray<readonly [number, OrderedAction]>,
  executor: Executor,
  signal: AbortSignal,
): Promise<View> {
  const conditions = candidates.flatMap(([, { until }]) => until);
  const asksFrr = conditions.some(({ kind }) => kind === 'withdrawn');
  const needsRows = conditions.length > 0 || candidates.some(([, { step }]) => step === Step.Withdraw);
  const [hardware, frr] = await Promise.all([
    needsRows ? readHardware(executor.hardware, conditions) : NOTHING,
    asksFrr ? executor.frr?.observe(signal) : undefined,
  ]);
  // A bgpd that does not run has no neighbour that could go wrong.
  return { hardware, neighbors: frr?.running === true ? frr.neighbors : new Set() };
}

const NOTHING: Hardware = {
  ports: new Map(),
  routedPorts: new Set(),
  bridgedPorts: new Set(),
  vlans: new Map(),
  routedVlans: new Set(),
  mappedVlans: new Set(),
  interfaces: new Map(),
  memberPorts: new Set(),
  stateVlans: new Set(),
  readyVrfs: new Set(),
  presentVrfs: new Set(),
};

/**
 * The model as far as it can be had at this moment: without the VRFs that are not there yet and the ports that are not
 * yet where they belong, and with the VRFs that are not gone yet.
 */
function modelFor(plan: Plan, action: OrderedAction, states: readonly State[], hardware: Hardware): FabricModel {
  const { model } = plan;
  const elsewhere = new Set(
    plan.actions.flatMap(({ step, port }, index) => (step === Step.Bind && states[index] !== 'done' ? [port] : [])),
  );
  const isThere = (port: string): boolean => !elsewhere.has(port);
  const vrfs = [
    ...model.vrfs
      .filter(({ name }) => hardware.readyVrfs.has(name))
      .map((vrf) => ({ ...vrf, ports: vrf.ports.filter(isThere) })),
    ...(action.drops ?? []).filter(({ name }) => hardware.presentVrfs.has(name)),
  ];
  return {
    ...model,
    uplinks: model.uplinks.filter(isThere),
    firewalls: model.firewalls.filter(({ port }) => isThere(port)),
    vrfs: vrfs.toSorted((a, b) => a.vni - b.vni),
  };
}

async function applyFrr(model: FabricModel, { frr }: Executor, signal: AbortSignal): Promise<readonly string[]> {
  if (frr === undefined) return [];
  try {
    return (await frr.apply(model, signal)).problems;
  } catch (error) {
    signal.throwIfAborted();
    return [reasonOf(error)];
  }
}
