import { apiV2 } from '@ingot/api';
import { SILENCE_MS } from './fsm.ts';

/**
 * Whether a machine still speaks: silent for more than five minutes it is dead, or unknown if somebody's system runs on
 * it, which owes us nothing. Computed when it is asked for, so that no job has to keep it current.
 */
export function liveliness(lastEventAt: number | undefined, allocated: boolean, now: number): apiV2.MachineLiveliness {
  if (lastEventAt === undefined) return apiV2.MachineLiveliness.UNKNOWN;
  if (now - lastEventAt <= SILENCE_MS) return apiV2.MachineLiveliness.ALIVE;
  return allocated ? apiV2.MachineLiveliness.UNKNOWN : apiV2.MachineLiveliness.DEAD;
}
