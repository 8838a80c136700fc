import type { Clock } from '@ingot/net';
import { windowLimit } from '../limits/window-limit.ts';

/** A boot stage asks four times; firmware that hears nothing repeats itself every second. */
const ANSWERS_PER_CLIENT = 20;
const WINDOW_MS = 10_000;
/** Clients counted in one window; whoever invents more is not held back by counting them. */
const MAX_CLIENTS = 8_192;

/** Whether one more answer may go to this client. */
export function clientRate(clock: Clock): (client: string) => boolean {
  return windowLimit(clock, { windowMs: WINDOW_MS, perClient: ANSWERS_PER_CLIENT, maxClients: MAX_CLIENTS });
}
