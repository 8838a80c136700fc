/**
 * Hostile clients at the API server for a bounded time, and honest ones beside them: floods of frames, requests without an
 * end, answers that nobody takes, bombs, forged tokens, half handshakes, and more connections than it may have files.
 *
 *     node test/soak/hostile-api.ts [--seconds 600] [--seed 1]
 *
 * Ends with status 1 when the server ended, logged an internal error, grew, filled its disk or log, took a forged token,
 * left an honest client without an answer, or did not stop when told to.
 */
import { parseArgs } from 'node:util';
import { leaveNothingBehind } from '../support/leave-nothing.ts';
import { hostileApi } from './hostile-api-run.ts';
import { hostileApiVerdict } from './hostile-api-verdict.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } },
});
leaveNothingBehind();
const result = await hostileApi({ seconds: Number(values.seconds), seed: Number(values.seed) });
console.log(`${result.seconds.toFixed(0)} s, seed ${values.seed}: ${JSON.stringify(result.attacks)}`);
for (const [name, { tried, served, medianMs, longestMs, complaint }] of Object.entries(result.honest))
  console.log(
    `  honest, ${name.padEnd(5)} connection: ${served} of ${tried} served, median ${medianMs.toFixed(1)} ms, longest ${longestMs.toFixed(0)} ms${complaint === undefined ? '' : `; once: ${complaint}`}`,
  );
const { before, middle, end, peak } = result.rss;
console.log(`  memory ${before} MB before, ${middle} MB in the middle, ${end} MB at the end, ${peak} MB at most`);
console.log(
  `  log ${(result.logBytes / 1_000_000).toFixed(1)} MB, data ${(result.grownBytes / 1_000_000).toFixed(1)} MB more, stopped in ${result.stopMs.toFixed(0)} ms`,
);
for (const { level, message, count } of result.complaints.slice(0, 16))
  console.log(`  ${level} × ${count}, as: ${message.slice(0, 200)}`);
const faults = hostileApiVerdict(result);
for (const fault of faults) console.log(`FAULT: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
