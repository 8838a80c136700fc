import type { Clock } from '@ingot/net';

/** A client that hears its answer asks twice a boot stage; one that does not, every few seconds. */
const BROADCASTS_PER_CLIENT = 16;
/** A thousand machines that power on at once ask four times each within some seconds. */
const BROADCASTS = 2_000;
const WINDOW_MS = 1_000;

/** Whether one more answer may go to everybody on a link: no client and no forger makes the server flood it. */
export function broadcastLimit(clock: Clock): (mac: string) => boolean {
  const sent = new Map<string, number>();
  let total = 0;
  let since = clock.monotonic();
  return (mac) => {
    const now = clock.monotonic();
    if (now - since >= WINDOW_MS) {
      since = now;
      total = 0;
      sent.clear();
    }
    const own = sent.get(mac) ?? 0;
    if (total >= BROADCASTS || own >= BROADCASTS_PER_CLIENT) return false;
    total += 1;
    sent.set(mac, own + 1);
    return true;
  };
}
