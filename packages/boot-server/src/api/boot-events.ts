import type { Clock } from '@ingot/net';
import type { LogFields, Logger } from '@ingot/daemon';
import { keepNewest } from '../limits/keep-newest.ts';
import type { BootApi } from './boot-api.ts';

/** Tells the API who asked for a boot, without making anybody wait. */
export interface BootEvents {
  report(mac: string, uuid: string): void;
}

/** Firmware repeats its DISCOVER, iPXE asks again, and so does the second NIC: that is one boot. */
const SAME_BOOT_MS = 30_000;
/** Calls at once: a slow API must not pile them up. */
const MAX_RUNNING = 32;
/** An API that failed is left alone for so long: hundreds of machines asking in vain cost it and us. */
const PAUSE_MS = 1_000;
/** An API that is away is away for all machines: a line for each would bury the log. */
const WARN_EVERY_MS = 10_000;
/** Machines remembered: invented UUIDs must not fill the memory. */
const MAX_REMEMBERED = 4_096;

export function createBootEvents(components: { api: BootApi; clock: Clock; log: Logger }): BootEvents {
  const { api, clock, log } = components;
  const reportedAt = new Map<string, number>();
  let running = 0;
  let awayUntil = 0;
  let warnedAt = Number.NEGATIVE_INFINITY;
  const warn = (fields: LogFields, words: string): void => {
    if (clock.monotonic() - warnedAt < WARN_EVERY_MS) {
      log.debug(fields, words);
      return;
    }
    warnedAt = clock.monotonic();
    log.warn(fields, words);
  };
  return {
    report: (mac, uuid) => {
      const last = reportedAt.get(uuid);
      if (last !== undefined && clock.monotonic() - last < SAME_BOOT_MS) return;
      if (clock.monotonic() < awayUntil) return;
      if (running >= MAX_RUNNING) {
        warn({ mac, uuid, event: 'api.busy' }, 'the API is slow: a boot event is left out');
        return;
      }
      keepNewest(reportedAt, uuid, clock.monotonic(), MAX_REMEMBERED);
      running += 1;
      api
        .dhcp(uuid)
        .catch((error: unknown) => {
          // The next DISCOVER may have more luck.
          reportedAt.delete(uuid);
          awayUntil = clock.monotonic() + PAUSE_MS;
          warn({ mac, uuid, event: 'api.away', err: error }, 'the boot event did not reach the API');
        })
        .finally(() => {
          running -= 1;
        });
    },
  };
}
