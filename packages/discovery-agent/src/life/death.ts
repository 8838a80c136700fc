import { constants as osConstants } from 'node:os';
import { EventType } from './api.ts';
import type { Life } from './parts.ts';
import type { LastExit } from './state.ts';

/** After these the API does not expect to hear of a crash, only of a new beginning. */
const noCrashAfter: ReadonlySet<number> = new Set([EventType.CRASHED, EventType.PLANNED_REBOOT]);

/** Says that a life begins, and before that how the last one of this boot ended. */
export function announceBeginning({ state, outbox, version }: Life): void {
  const death = state.lastExit();
  const begins = `starting discovery agent ${version}`;
  if (death === undefined) return outbox.post(EventType.PREPARING, begins);
  const words = `${death.phase}: ${reasonOfDeath(death)}`;
  const last = state.lastEvent();
  if (last === undefined || !noCrashAfter.has(last)) {
    outbox.post(EventType.CRASHED, words);
    outbox.post(EventType.PREPARING, begins);
  } else outbox.post(EventType.PREPARING, `${begins} after ${words}`);
  return state.forgetLastExit();
}

/** An exit status as a shell reports it: above 128 it was a signal that ended the process. */
function reasonOfDeath({ code, reason }: LastExit): string {
  if (reason !== '') return reason;
  const signal = Object.entries(osConstants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal === undefined ? `ended with code ${code}` : `killed by ${signal}`;
}
