import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import type { Sysfs } from '../sysfs.ts';
import type { Pulse } from './pulse.ts';

/** Holds off the reboot by the watchdog device for as long as the agent lives. */
export interface Watchdog {
  /** Tells the device that the silence to come is meant. */
  stop(): void;
}

export interface WatchdogParts {
  readonly sysfs: Sysfs;
  readonly clock: Clock;
  readonly pulse: Pulse;
  /** Told once that a strand of the agent's life has stalled; from then on the device gets nothing. */
  readonly onStall: (strand: string) => void;
  /** Told once that the device takes nothing any more; the agent lives on. */
  readonly onLost: (reason: string) => void;
}

const longestFeedMs = 10_000;
const shortestFeedMs = 1_000;
/** A "V" before closing disarms the device, Documentation/watchdog/watchdog-api.rst. */
const magicClose = 'V';

/** Opening the device arms it. `undefined` when there is none. */
export function feedWatchdog({ sysfs, clock, pulse, onStall, onLost }: WatchdogParts): Watchdog | undefined {
  const chosen = chooseWatchdog(sysfs);
  let device: number;
  try {
    device = openSync(join(sysfs.root, chosen.path), 'w');
  } catch {
    return undefined;
  }
  let isSilent = false;
  const write = (text: string): void => {
    try {
      writeSync(device, text);
    } catch (error) {
      isSilent = true;
      onLost(reasonOf(error));
    }
  };
  const feed = (): void => {
    if (isSilent) return;
    const strand = pulse.stalled();
    if (strand === undefined) return write('.');
    isSilent = true;
    onStall(strand);
  };
  feed();
  const timer = clock.setInterval(feed, chosen.feedEveryMs);
  return {
    stop() {
      timer.cancel();
      if (!isSilent) write(magicClose);
      closeSync(device);
    },
  };
}

/**
 * The board's own watchdog outlives a dead kernel, the kernel's does not: that one only where there is no other. Boards
 * give as little as ten seconds; three chances within that time.
 */
function chooseWatchdog(sysfs: Sysfs): { readonly path: string; readonly feedEveryMs: number } {
  const known = sysfs.list('/sys/class/watchdog').map((name) => ({
    path: `/dev/${name}`,
    identity: sysfs.text(`/sys/class/watchdog/${name}/identity`) ?? '',
    timeoutS: sysfs.integer(`/sys/class/watchdog/${name}/timeout`) ?? 0,
  }));
  const best = known.find(({ identity }) => !/software watchdog/i.test(identity)) ?? known[0];
  const thirdMs = ((best?.timeoutS ?? 0) * 1000) / 3;
  return {
    path: best?.path ?? '/dev/watchdog',
    feedEveryMs: thirdMs === 0 ? longestFeedMs : Math.min(longestFeedMs, Math.max(shortestFeedMs, thirdMs)),
  };
}
