import type { Clock } from '@ingot/net';

/** A boot stage asks four times; firmware that hears nothing repeats itself every second. */
const ANSWERS_PER_CLIENT = 20;
const WINDOW_MS = 10_000;
/** Clients counted in one window; whoever invents more is not held back by counting them. */
const MAX_CLIENTS = 8_192;

/** Whether one more answer may go to this client. */
export function clientRate(clock: Clock): (client: string) => boolean {
  const answered = new Map<string, number>();
  let since = clock.monotonic();
  return (client) => {
    const now = clock.monotonic();
    if (now - since >= WINDOW_MS) {
      since = now;
      answered.clear();
    }
    const count = (answered.get(client) ?? 0) + 1;
    if (count > ANSWERS_PER_CLIENT) return false;
    if (count > 1 || answered.size < MAX_CLIENTS) answered.set(client, count);
    return true;
  };
}
