import type { Clock } from '@ingot/net';

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
      at.delete(mac);
      at.set(mac, clock.monotonic());
      for (const oldest of at.keys()) {
        if (at.size <= MAX_NICS) break;
        at.delete(oldest);
      }
    },
    isRecent: (mac) => {
      const since = at.get(mac);
      return since !== undefined && clock.monotonic() - since < RECENT_MS;
    },
  };
}
