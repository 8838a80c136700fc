import type { HostileApiResult } from './hostile-api-run.ts';

/** V8 lets garbage stand for a while, and each bound of the server is some tens of megabytes. */
const GROWTH_MB = 128;
const PEAK_MB = 768;
const SERVED_SHARE = 0.99;
/** The daemon gives up a clean stop after 10 s. */
const STOP_MS = 9_000;
const LOG_BYTES_A_SECOND = 64 * 1024;
/** What strangers and a stolen token can have written down, and the journal of what honest clients wrote. */
const DATA_BYTES_A_SECOND = 64 * 1024;
const DATA_BYTES = 16 * 1024 * 1024;

/** What a run showed to be wrong; empty when nothing is. */
export function hostileApiVerdict(result: HostileApiResult): string[] {
  const faults: string[] = [];
  if (result.exited !== undefined) faults.push(`the server ended: ${result.exited}`);
  for (const { level, message, count } of result.complaints)
    if (level === 'error') faults.push(`${count} errors in the log, as: ${message}`);
  const taken = result.attacks['forged tokens that were taken'] ?? 0;
  if (taken > 0) faults.push(`${taken} forged tokens were taken`);
  const { middle, end, peak } = result.rss;
  if (end - middle > GROWTH_MB) faults.push(`memory grew by ${end - middle} MB from the middle to the end`);
  if (peak > PEAK_MB) faults.push(`memory was ${peak} MB at its peak`);
  for (const [name, { tried, served, complaint }] of Object.entries(result.honest))
    if (tried === 0 || served / tried < SERVED_SHARE)
      faults.push(`${name}: ${served} of ${tried} honest calls served; ${complaint ?? ''}`);
  if (result.waitEnded !== undefined) faults.push(`the stream of a waiting machine ended: ${result.waitEnded}`);
  if (result.logBytes > result.seconds * LOG_BYTES_A_SECOND) faults.push(`the log has ${result.logBytes} bytes`);
  if (result.grownBytes > DATA_BYTES + result.seconds * DATA_BYTES_A_SECOND)
    faults.push(`the data grew by ${result.grownBytes} bytes`);
  if (result.stopMs > STOP_MS || result.stopCode !== 0)
    faults.push(`it took ${result.stopMs.toFixed(0)} ms to stop, and ended with ${result.stopCode}`);
  return faults;
}
