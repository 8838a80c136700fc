import type { Clock } from '@ingot/net';
import { neighborsByPort, type BgpNeighbor, type BgpNeighbors } from './frr/neighbors.ts';
import type { PortNames } from './naming.ts';
import type { Problems } from './problems.ts';

export interface BgpSessionsOptions {
  readonly read: (signal: AbortSignal) => Promise<BgpNeighbors>;
  /** Whether it is a problem of the switch when FRR cannot be asked. */
  readonly tellApi: boolean;
  /** What was read longer ago than this is not told any more, milliseconds. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly problems: Problems;
}

/** The BGP sessions of the ports, read apart from the heartbeat, so that an FRR that hangs does not hold it up. */
export interface BgpSessions {
  /** Asks FRR. Rejects only with the reason of the signal. */
  look(signal: AbortSignal): Promise<void>;
  /**
   * The sessions of the given nics, by nic name. Empty while nothing is known, which the API takes for "not looked at";
   * of a map that is not empty, it takes a nic that is missing for one without a session.
   */
  of(nics: readonly string[], names: PortNames): ReadonlyMap<string, BgpNeighbor>;
}

export function createBgpSessions({ read, tellApi, maxAgeMs, clock, problems }: BgpSessionsOptions): BgpSessions {
  let last: { readonly byPort: ReadonlyMap<string, BgpNeighbor>; readonly atMs: number } | undefined;
  return {
    look: async (signal) => {
      const answer = await read(signal);
      if (!answer.ok) {
        problems.report('bgp', answer.reason, { tellApi });
        return;
      }
      problems.clear('bgp');
      last = { byPort: neighborsByPort(answer.neighbors), atMs: clock.monotonic() };
    },
    of: (nics, names) => {
      if (last === undefined || clock.monotonic() - last.atMs > maxAgeMs) return new Map();
      const { byPort } = last;
      const sessions = nics.map((nic) => [nic, byPort.get(names.portOf(nic) ?? '')] as const);
      return new Map(sessions.filter((entry): entry is readonly [string, BgpNeighbor] => entry[1] !== undefined));
    },
  };
}
