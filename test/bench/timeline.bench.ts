/**
 * What a log line costs that enters a machine's timeline, in nanoseconds: the DHCP server writes one for each packet.
 *
 *     node test/bench/timeline.bench.ts
 *
 * "invented" is the worst case: every line is about a hardware address that was never seen before.
 */
import { systemClock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { createTimeline } from '../../packages/boot-server/src/timeline/timeline.ts';
import { traceLogger } from '../../packages/boot-server/src/timeline/traced-logger.ts';

const LINES = 1_000_000;
const ROUNDS = 5;

const nowhere: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => nowhere,
};
const log = traceLogger(nowhere, createTimeline({ clock: systemClock }));
const macs = Array.from({ length: LINES }, (_value, index) =>
  index
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/(..)(?=.)/g, '$1:'),
);

function round(machines: number): number {
  const start = process.hrtime.bigint();
  for (let line = 0; line < LINES; line += 1) {
    const mac = macs[line % machines];
    const boot = line % (2 * machines) < machines ? 'chain-tftp' : 'script';
    log.debug({ mac, giaddr: '10.0.1.1', event: 'dhcp.offer', address: '10.0.1.100', boot, loads: 'file' }, 'offer');
  }
  return Number(process.hrtime.bigint() - start) / LINES;
}

for (const [name, machines] of [
  ['one machine', 1],
  ['1,000 machines', 1_000],
  ['invented', LINES],
] as const) {
  const results = Array.from({ length: ROUNDS }, () => round(machines)).toSorted((a, b) => a - b);
  console.log(`${name.padEnd(16)} ${Math.round(results[Math.floor(ROUNDS / 2)] ?? 0)} ns a line`);
}
