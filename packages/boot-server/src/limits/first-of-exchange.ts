import type { Clock } from '@ingot/net';

/**
 * Within this time it is the same exchange. Not longer: firmware, iPXE and the kernel each ask once, and a machine that is
 * switched off and on again must be seen to come back.
 */
const SAME_EXCHANGE_MS = 3_000;
/** Machines and stages remembered: when one half is full, the older half goes. */
const MAX_REMEMBERED = 32_768;

/** True for the first of its key within 3 s: those are for people to read, the rest is for the machine's timeline. */
export function firstOfExchange(clock: Clock): (key: string) => boolean {
  let newer = new Map<string, number>();
  let older = new Map<string, number>();
  return (key) => {
    const now = clock.monotonic();
    const before = newer.get(key) ?? older.get(key);
    if (before !== undefined && now - before < SAME_EXCHANGE_MS) return false;
    if (newer.size >= MAX_REMEMBERED / 2) {
      older = newer;
      newer = new Map();
    }
    newer.set(key, now);
    return true;
  };
}
