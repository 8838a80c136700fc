import type { SonicDb } from '../sonic-db.ts';
import type { SwitchRelayConfig } from './config.ts';
import type { RelayPlan } from './link-settings.ts';
import { staticPlan } from './plan.ts';
import { readSonicPlan } from './sonic-plan.ts';

/** Where it is said what to relay: the configuration, or CONFIG_DB where that names no link. */
export interface PlanSource {
  /** What is to be relayed now. Throws SwitchAgentError `SWITCH_DATABASE`: then `last` holds on. */
  read(): Promise<RelayPlan>;
  /** Undefined before the first reading. */
  last(): RelayPlan | undefined;
  /** What CONFIG_DB says that cannot be understood. */
  odd(): readonly string[];
}

export function createPlanSource(config: SwitchRelayConfig, configDb: Pick<SonicDb, 'rows'>): PlanSource {
  const fixed = staticPlan(config);
  let accepted: RelayPlan | undefined = fixed;
  let previous: RelayPlan | undefined;
  let odd: string[] = [];
  return {
    read: async () => {
      if (fixed !== undefined) return fixed;
      const found: string[] = [];
      const plan = await readSonicPlan(configDb, config, (what) => found.push(what));
      odd = found;
      if (accepted === undefined || isSettled(plan, accepted, previous)) accepted = plan;
      previous = plan;
      return accepted;
    },
    last: () => accepted,
    odd: () => odd,
  };
}

/** `config reload` empties CONFIG_DB and fills it row by row: links that are gone have to be gone twice. */
function isSettled(plan: RelayPlan, accepted: RelayPlan, previous: RelayPlan | undefined): boolean {
  const names = namesOf(plan);
  const lostNone = accepted.links.every(({ name }) => names.has(name));
  return lostNone || (previous !== undefined && names.symmetricDifference(namesOf(previous)).size === 0);
}

function namesOf({ links }: RelayPlan): Set<string> {
  return new Set(links.map(({ name }) => name));
}
