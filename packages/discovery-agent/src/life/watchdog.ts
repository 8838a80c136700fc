import { closeSync, constants, openSync, writeSync } from 'node:fs';
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
  /** Before that, the board's own watchdog may still come. */
  readonly driversLoaded: () => boolean;
  /** Told once which device it is, in words, or why there is none. */
  readonly onChosen: (words: string) => void;
  /** Told once that a strand of the agent's life has stalled; from then on the device gets nothing. */
  readonly onStall: (strand: string) => void;
  /** Told once that the device takes nothing any more; the agent lives on. */
  readonly onLost: (reason: string) => void;
}

const longestFeedMs = 10_000;
const shortestFeedMs = 1_000;
/** A "V" before closing disarms the device, Documentation/watchdog/watchdog-api.rst. */
const magicClose = 'V';

/** Node starts faster than drivers load. A driver that hangs does not keep the others from being used. */
const driversPatienceMs = 60_000;
const lookEveryMs = 1_000;

/** Feeds the best watchdog of the machine from the moment on that its drivers are loaded. Opening the device arms it. */
export function feedWatchdog(parts: WatchdogParts): Watchdog {
  const { clock, driversLoaded } = parts;
  const giveUpAtMs = clock.monotonic() + driversPatienceMs;
  let armed: Watchdog | undefined;
  const look = (): void => {
    if (!driversLoaded() && clock.monotonic() < giveUpAtMs) return;
    looking.cancel();
    armed = arm(parts);
  };
  const looking = clock.setInterval(look, lookEveryMs);
  look();
  return {
    stop() {
      looking.cancel();
      armed?.stop();
    },
  };
}

function arm({ sysfs, clock, pulse, onChosen, onStall, onLost }: WatchdogParts): Watchdog | undefined {
  const opened = openFirst(candidates(sysfs), sysfs.root);
  onChosen(opened.words);
  if (opened.device === undefined) return undefined;
  const { device, feedEveryMs } = opened;
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
  const timer = clock.setInterval(feed, feedEveryMs);
  feed();
  return {
    stop() {
      timer.cancel();
      if (!isSilent) write(magicClose);
      closeSync(device);
    },
  };
}

interface Candidate {
  readonly path: string;
  readonly identity: string;
  readonly timeoutS: number;
}

/**
 * Best first. The board's own watchdog outlives a dead kernel, the kernel's does not: that one only where there is no
 * other.
 */
function candidates(sysfs: Sysfs): readonly Candidate[] {
  const known = sysfs.list('/sys/class/watchdog').map((name) => ({
    path: `/dev/${name}`,
    identity: sysfs.text(`/sys/class/watchdog/${name}/identity`) ?? '',
    timeoutS: sysfs.integer(`/sys/class/watchdog/${name}/timeout`) ?? 0,
  }));
  // Drivers that are older than that class have the one device alone.
  if (known.length === 0) return [{ path: '/dev/watchdog', identity: '', timeoutS: 0 }];
  const isSoftware = ({ identity }: Candidate): boolean => /software watchdog/i.test(identity);
  return [...known.filter((each) => !isSoftware(each)), ...known.filter(isSoftware)];
}

type Opened =
  | { readonly device: number; readonly feedEveryMs: number; readonly words: string }
  | { readonly device: undefined; readonly words: string };

/** Somebody else, or its own driver, may hold a device: then the next one is better than none. */
function openFirst(all: readonly Candidate[], root: string): Opened {
  const refusals: string[] = [];
  for (const { path, identity, timeoutS } of all) {
    try {
      const device = openSync(join(root, path), constants.O_WRONLY);
      const time = timeoutS === 0 ? '' : `, restarts the machine after ${timeoutS} s of silence`;
      const words = [`${identity || path}${time}`, ...refusals].join('; ');
      return { device, feedEveryMs: feedEvery(timeoutS), words };
    } catch (error) {
      refusals.push(`${identity || path} cannot be used: ${reasonOf(error)}`);
    }
  }
  return { device: undefined, words: `none: ${refusals.join('; ')}` };
}

/** Boards give as little as ten seconds; three chances within that time. */
function feedEvery(timeoutS: number): number {
  const thirdMs = (timeoutS * 1000) / 3;
  return thirdMs === 0 ? longestFeedMs : Math.min(longestFeedMs, Math.max(shortestFeedMs, thirdMs));
}
