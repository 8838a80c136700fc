import type { Clock } from '@ingot/net';
import { keepNewest } from '../limits/keep-newest.ts';

/** Which NICs loaded a boot loader a moment ago. */
export interface LoaderFetches {
  note(mac: string): void;
  isRecent(mac: string): boolean;
}

/** From the loader's first byte to its own DHCP request: seconds, minutes on a slow link. */
const RECENT_MS = 5 * 60_000;
const MAX_NICS = 16_384;

export function loaderFetches(clock: Clock): LoaderFetches {
  const at = new Map<string, number>();
  return {
    note: (mac) => {
      keepNewest(at, mac, clock.monotonic(), MAX_NICS);
    },
    isRecent: (mac) => {
      const since = at.get(mac);
      return since !== undefined && clock.monotonic() - since < RECENT_MS;
    },
  };
}
