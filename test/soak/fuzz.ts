/**
 * Hostile packets at every listener of the boot server, and honest clients beside them, in one bounded run.
 *
 *     sudo node test/soak/fuzz.ts [--packets 10000000] [--seconds 1800] [--seed 1]
 *
 * Ends with status 1 when the server ended, logged an internal error, grew, or left an honest client without an answer.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz-run.ts';
import type { Served } from './honest-clients.ts';
import { verdictOf } from './verdict.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '1800' },
    seed: { type: 'string', default: '1' },
  },
});
leaveNothingBehind();
const result = await fuzz({
  packets: Number(values.packets),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
});
const line = (name: string, { tried, served, medianMs, longestMs, complaint }: Served): void =>
  console.log(
    `  honest ${name.padEnd(7)} ${served} of ${tried} served, median ${medianMs.toFixed(1)} ms, longest ${longestMs.toFixed(0)} ms${complaint === undefined ? '' : `; ${complaint}`}`,
  );
console.log(
  `${result.sent} packets in ${result.seconds.toFixed(0)} s, seed ${values.seed}; ${result.replies} answers, ${result.dropped} found a full socket; ${result.http.requests} HTTP connections ${JSON.stringify(result.http.answers)}`,
);
line('leases', result.honest.leases);
line('TFTP', result.honest.tftp);
line('HTTP', result.honest.http);
const { before, middle, end, peak } = result.rss;
console.log(`  memory ${before} MB before, ${middle} MB in the middle, ${end} MB at the end, ${peak} MB at most`);
console.log(
  `  log ${(result.logBytes / result.sent).toFixed(0)} bytes a packet; ${result.cpuUsPerPacket.toFixed(0)} µs of the server's processor time a packet`,
);
for (const { level, message, count } of result.complaints.slice(0, 12))
  console.log(`  ${level} × ${count}, as: ${message}`);
const faults = verdictOf(result);
for (const fault of faults) console.log(`FAULT: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
