import type { Clock } from '@ingot/net';

export interface WindowLimitOptions {
  readonly windowMs: number;
  /** Of one client within a window. */
  readonly perClient: number;
  /** Of all clients together within a window; default: any number. */
  readonly total?: number;
  /** Clients counted in one window; whoever invents more is not held back by counting them. */
  readonly maxClients: number;
}

/** Whether one more is due to this client: counted in windows that begin anew, so that nothing is kept for long. */
export function windowLimit(clock: Clock, options: WindowLimitOptions): (client: string) => boolean {
  const { windowMs, perClient, total = Number.POSITIVE_INFINITY, maxClients } = options;
  const granted = new Map<string, number>();
  let all = 0;
  let since = clock.monotonic();
  return (client) => {
    const now = clock.monotonic();
    if (now - since >= windowMs) {
      since = now;
      all = 0;
      granted.clear();
    }
    const count = (granted.get(client) ?? 0) + 1;
    if (count > perClient || all >= total) return false;
    all += 1;
    if (count > 1 || granted.size < maxClients) granted.set(client, count);
    return true;
  };
}
