import { closeSync, openSync, writeSync } from 'node:fs';
import type { Clock } from '@ingot/net';

/** Holds off the reboot by the watchdog device for as long as the agent's event loop turns. */
export interface Watchdog {
  /** Tells the device that the silence to come is meant. */
  stop(): void;
}

const feedEveryMs = 10_000;
/** A "V" before closing disarms the device, Documentation/watchdog/watchdog-api.rst. */
const magicClose = 'V';

/** Opening the device arms it. `undefined` when there is none. */
export function feedWatchdog(path: string, clock: Clock): Watchdog | undefined {
  let device: number;
  try {
    device = openSync(path, 'w');
  } catch {
    return undefined;
  }
  const timer = clock.setInterval(() => writeSync(device, '.'), feedEveryMs);
  return {
    stop() {
      timer.cancel();
      writeSync(device, magicClose);
      closeSync(device);
    },
  };
}
