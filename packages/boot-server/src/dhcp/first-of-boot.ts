import type { Clock } from '@ingot/net';

/** Firmware repeats its DISCOVER after 4, 8 and 16 s: all that is one boot. */
const SAME_BOOT_MS = 30_000;
/** Machines and stages remembered: when one half is full, the older half goes. */
const MAX_REMEMBERED = 32_768;

/** True for the first of its key within 30 s: those are for people to read, the rest is for the machine's timeline. */
export function firstOfBoot(clock: Clock): (key: string) => boolean {
  let newer = new Map<string, number>();
  let older = new Map<string, number>();
  return (key) => {
    const now = clock.monotonic();
    const before = newer.get(key) ?? older.get(key);
    if (before !== undefined && now - before < SAME_BOOT_MS) return false;
    if (newer.size >= MAX_REMEMBERED / 2) {
      older = newer;
      newer = new Map();
    }
    newer.set(key, now);
    return true;
  };
}
