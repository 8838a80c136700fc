import type { Clock } from '@ingot/net';
import { isUnreachable } from '../api.ts';
import { pause } from '../loop.ts';
import type { LinkState } from '../link-state.ts';
import type { Problems } from '../problems.ts';
import type { SonicDb } from '../sonic-db.ts';
import { type HomeCall, homeCalls } from './calls-home.ts';
import { readLldpNeighbors, type LldpNeighbor } from './lldp-neighbors.ts';

export interface PhoneHomeOptions {
  readonly appDb: SonicDb;
  /** Tells the API; answers with the machines whose call it did not take. */
  readonly send: (calls: readonly HomeCall[], signal: AbortSignal) => Promise<readonly string[]>;
  /** Whether a port has link. Never rejects. */
  readonly linkState: (port: string) => Promise<LinkState>;
  /** Port → the machine that the API knows behind it. */
  readonly connected: () => ReadonlyMap<string, string>;
  /** Told each reading of the table. */
  readonly onNeighbors?: (neighbors: readonly LldpNeighbor[]) => void;
  readonly onSent: (calls: number) => void;
  readonly onFailed: () => void;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

const PERIOD_MS = 60_000;
const FIRST_RETRY_MS = 5000;
// More machines than a leaf has ports for; the calls of the longest silent ones go first.
const MAX_WAITING = 1024;

/**
 * Tells the API once a minute of each machine whose LLDP says that it is installed, until the signal. The table is read
 * anew each time, so ports may come and go. What could not be sent is kept, the latest call of a machine, and tried
 * again after 5 s, then ever more slowly.
 */
export async function runPhoneHome(options: PhoneHomeOptions): Promise<void> {
  const { clock, problems, signal } = options;
  const waiting = new Map<string, HomeCall>();

  const look = async (): Promise<void> => {
    let neighbors: readonly LldpNeighbor[];
    try {
      neighbors = await readLldpNeighbors(options.appDb);
      problems.clear('lldp');
    } catch (error) {
      if (!signal.aborted) problems.report('lldp', error);
      return;
    }
    options.onNeighbors?.(neighbors);
    const ports = [...new Set(neighbors.map(({ port }) => port))];
    const links = new Map(await Promise.all(ports.map(async (port) => [port, await options.linkState(port)] as const)));
    const { calls, refused } = homeCalls(neighbors, (port) => links.get(port) ?? 'unknown', options.connected());
    if (refused.length === 0) problems.clear('phone-home-cabling');
    else problems.report('phone-home-cabling', `${refused.join('; ')}; correct the cable, or the machine's LLDP`);
    for (const call of calls) {
      waiting.delete(call.machine);
      waiting.set(call.machine, { ...call, seenMs: clock.now() });
    }
    for (const machine of waiting.keys()) {
      if (waiting.size <= MAX_WAITING) break;
      waiting.delete(machine);
    }
  };

  /** False when the API is to be asked again soon. */
  const send = async (): Promise<boolean> => {
    if (waiting.size === 0) return true;
    try {
      const refused = await options.send([...waiting.values()], signal);
      options.onSent(waiting.size - refused.length);
      waiting.clear();
      if (refused.length === 0) problems.clear('phone-home');
      else problems.report('phone-home', `the API did not take the call of ${refused.join(', ')}; its log says why`);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      options.onFailed();
      problems.report('phone-home', error, { tellApi: !isUnreachable(error) });
      return false;
    }
  };

  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    await look();
    const isSent = await send();
    const delayMs = isSent ? PERIOD_MS : retryMs;
    retryMs = isSent ? FIRST_RETRY_MS : Math.min(PERIOD_MS, retryMs * 2);
    if (!(await pause(clock, delayMs, signal))) return;
  }
}
