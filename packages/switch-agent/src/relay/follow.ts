import type { DaemonContext } from '@ingot/daemon';
import { every } from '../loop.ts';
import { createProblems, type Problems } from '../problems.ts';
import type { SwitchRelayConfig } from './config.ts';
import type { RelayPlan } from './link-settings.ts';
import type { PlanSource } from './plan-source.ts';
import type { Relay } from './relay.ts';

export interface FollowComponents extends Pick<
  DaemonContext<SwitchRelayConfig>,
  'config' | 'clock' | 'log' | 'health' | 'status' | 'fail' | 'signal'
> {
  readonly relay: Relay;
  readonly source: PlanSource;
}

/** Keeps the relay at what is asked for and what the kernel has, until the signal. */
export function follow(components: FollowComponents): { readonly first: Promise<void>; readonly last: Promise<void> } {
  const { config, clock, log, source, signal, fail } = components;
  const problems = createProblems(log);
  const topics = new Set<string>();
  const first = Promise.withResolvers<void>();
  const round = async (): Promise<void> => {
    const plan = await planNow(source, problems, signal);
    if (plan === undefined || signal.aborted) return;
    const odd = source.odd();
    if (odd.length === 0) problems.clear('config-db-rows');
    else problems.report('config-db-rows', odd.join('; '));
    await serve(components, plan, problems, topics);
  };
  const last = every(clock, config.refreshSeconds * 1000, signal, async () => {
    await round();
    first.resolve();
  }).catch((error: unknown) => fail(error instanceof Error ? error : new Error(String(error))));
  return { first: Promise.race([first.promise, last]), last };
}

/** The plan as it is now, or as it was when it could be read last. */
async function planNow(source: PlanSource, problems: Problems, signal: AbortSignal): Promise<RelayPlan | undefined> {
  try {
    const plan = await source.read();
    problems.clear('config-db');
    return plan;
  } catch (error) {
    if (!signal.aborted) problems.report('config-db', error);
    return source.last();
  }
}

/** Says of each link whether it is served, and if not, why. */
async function serve(
  { relay, health, status }: FollowComponents,
  plan: RelayPlan,
  problems: Problems,
  topics: Set<string>,
): Promise<void> {
  const failed = await relay.apply(plan);
  for (const topic of topics) {
    if (failed.has(topic)) continue;
    topics.delete(topic);
    problems.clear(topic);
  }
  for (const [link, reason] of failed) {
    topics.add(link);
    problems.report(link, reason);
  }
  const reasons = [...failed].map(([link, reason]) => `${link}: ${reason}`);
  health.set('links', reasons.length === 0 ? { ok: true } : { ok: false, reason: reasons.join('; ') });
  status(`relays DHCP on ${plan.links.length - failed.size} of ${plan.links.length} links`);
}
