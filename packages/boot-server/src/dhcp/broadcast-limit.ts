import type { Clock } from '@ingot/net';
import { windowLimit } from '../limits/window-limit.ts';

/** A client that hears its answer asks twice a boot stage; one that does not, every few seconds. */
const BROADCASTS_PER_CLIENT = 16;
/** A thousand machines that power on at once ask four times each within some seconds. */
const BROADCASTS = 2_000;
const WINDOW_MS = 1_000;

/** Whether one more answer may go to everybody on a link: no client and no forger makes the server flood it. */
export function broadcastLimit(clock: Clock): (mac: string) => boolean {
  return windowLimit(clock, {
    windowMs: WINDOW_MS,
    perClient: BROADCASTS_PER_CLIENT,
    total: BROADCASTS,
    maxClients: BROADCASTS,
  });
}
