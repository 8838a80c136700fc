import type { FuzzResult } from './fuzz-run.ts';

/** V8 lets garbage stand for a while; a leak of 10 bytes a packet would pass this after some millions. */
const GROWTH_MB = 96;
const PEAK_MB = 768;
/** One of a hundred may meet a moment at which the machine is busy with something else. */
const SERVED_SHARE = 0.99;

/** What a run showed to be wrong; empty when nothing is. */
export function verdictOf(result: FuzzResult): string[] {
  const faults: string[] = [];
  if (result.exited !== undefined) faults.push(`the server ended: ${result.exited}`);
  for (const { level, message, count } of result.complaints)
    if (level === 'error') faults.push(`${count} errors in the log, as: ${message}`);
  const { middle, end, peak } = result.rss;
  if (end - middle > GROWTH_MB) faults.push(`memory grew by ${end - middle} MB from the middle to the end`);
  if (peak > PEAK_MB) faults.push(`memory was ${peak} MB at its peak`);
  for (const [name, { tried, served }] of Object.entries(result.honest))
    if (tried === 0 || served / tried < SERVED_SHARE)
      faults.push(`${name}: ${served} of ${tried} honest clients served`);
  return faults;
}
