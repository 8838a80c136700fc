/**
 * The API server under the load of a large hall: 10,000 machines that register at once, then say every minute that they
 * live, 500 switches that send heartbeats every ten seconds, 1,000 machines that hold a Wait stream each and are then
 * allocated one after the other.
 *
 *     node test/bench/api-load.bench.ts [--quick] [--database postgres] [--machines N] [--switches N] [--waiters N]
 *                                       [--seconds N] [--at-once N] [--profile DIRECTORY]
 *
 * The server is a process of its own, `ingot api-server`; this one makes the load, with gRPC over HTTP/2 and TLS. Every
 * machine that waits and every switch has a connection of its own, the other machines share 32. Latencies count from when
 * a call was due. Beside each phase stands the floor: as many rows of the same bytes, each written by itself to the same
 * kind of database. Ends with status 1 when a call failed, or when the marks are missed: a p99 of 100 ms, 512 MiB.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createChannel } from '@ingot/api';
import { readCpuSeconds, readMemoryMb } from '../support/process-stat.ts';
import { writeCatalogue } from './api-load/catalogue.ts';
import type { Connection } from './api-load/grpc-calls.ts';
import { buildHall } from './api-load/hall.ts';
import { createLatencies, percentile, type Latencies } from './api-load/latencies.ts';
import { inParallel, openRig } from './api-load/rig.ts';
import { startServer } from './api-load/server.ts';
import { steadyState } from './api-load/steady.ts';
import { registerStorm, registerSwitches } from './api-load/storm.ts';
import { allocateAll, openWaiters } from './api-load/wake.ts';

const MARK_P99_MS = 100;
const MARK_RSS_MIB = 512;
const SHARED_CONNECTIONS = 32;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    database: { type: 'string', default: 'sqlite' },
    machines: { type: 'string' },
    switches: { type: 'string' },
    waiters: { type: 'string' },
    seconds: { type: 'string' },
    'at-once': { type: 'string', default: '16' },
    profile: { type: 'string' },
  },
});
const count = (name: 'machines' | 'switches' | 'waiters' | 'seconds', full: number, quick: number): number => {
  const value = Number(values[name] ?? (values.quick ? quick : full));
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`--${name}: write a whole number of at least 1`);
  return value;
};
const machines = count('machines', 10_000, 1_000);
const switches = count('switches', 500, 50);
const waiters = count('waiters', 1_000, 100);
const seconds = count('seconds', 60, 15);
const atOnce = Number(values['at-once']);

await using cleanup = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'ingot-load-'));
cleanup.defer(() => rm(directory, { recursive: true, force: true }));
const hall = buildHall(machines, switches);
const server = cleanup.use(
  await startServer({ directory, ...(values.profile === undefined ? {} : { profileDirectory: values.profile }) }),
);
const admin = createChannel({ url: server.url, ca: server.ca, token: server.adminToken });
cleanup.defer(() => admin.close());
const tenant = await writeCatalogue(admin);
const rig = cleanup.use(await openRig(hall, server, admin, SHARED_CONNECTIONS));

let worst = 0;
let failed = false;

/** Runs a phase and prints what it cost. */
async function phase<T>(title: string, work: (latencies: Latencies) => Promise<T>): Promise<T> {
  const latencies = createLatencies();
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const before = { server: readCpuSeconds(server.pid), own: readCpuSeconds(process.pid), at: performance.now() };
  const result = await work(latencies);
  const took = (performance.now() - before.at) / 1000;
  delays.disable();
  const cpu = readCpuSeconds(server.pid) - before.server;
  const own = readCpuSeconds(process.pid) - before.own;
  const { now, most } = readMemoryMb(server.pid);
  const each = (all: number): string => `${((all * 1000) / latencies.calls).toFixed(2)} ms each`;
  console.log(`\n${title}`);
  for (const line of latencies.table()) console.log(line);
  console.log(
    `  ${took.toFixed(1)} s, ${(latencies.calls / took).toFixed(0)} calls/s; processor time: server ${cpu.toFixed(1)} s, ` +
      `${each(cpu)}; generator ${own.toFixed(1)} s, ${each(own)}, its turns late by ${(delays.percentile(99) / 1e6).toFixed(0)} ms (p99); ` +
      `server's memory ${now} MiB, at most ${most} MiB`,
  );
  worst = Math.max(worst, latencies.worstP99());
  failed ||= latencies.failures.size > 0;
  return result;
}

const switchTokens = await phase(`${switches} switches register, ${atOnce} at once`, (latencies) =>
  registerSwitches(rig, latencies, atOnce),
);
const machineTokens = await phase(
  `register storm: ${machines} machines switched on, ${atOnce} under way at once`,
  (latencies) => registerStorm(rig, latencies, atOnce),
);
const switchConnections: Connection[] = [];
await inParallel(hall.switches, atOnce, async (_one, index) => {
  switchConnections[index] = await rig.open();
});
const waiting = cleanup.use(await openWaiters(rig, machineTokens, waiters, atOnce));
const late = await phase(`steady state: ${seconds} s, with ${waiters} open Wait streams`, (latencies) =>
  steadyState(rig, latencies, { seconds, machineTokens, switchTokens, switchConnections, random: Math.random }),
);
console.log(
  `  calls left the generator late by ${percentile(
    late.toSorted((a, b) => a - b),
    0.99,
  ).toFixed(1)} ms (p99)`,
);
await phase(`${waiters} machines that wait are allocated, 4 at once`, (latencies) =>
  allocateAll(rig, waiting, latencies, tenant, { count: waiters, atOnce: 4 }),
);
if (waiting.broken > 0) console.log(`${waiting.broken} Wait streams have broken`);

const { most } = readMemoryMb(server.pid);
console.log(
  `\nworst p99 ${worst.toFixed(1)} ms (mark ${MARK_P99_MS}), server's memory at most ${most} MiB (mark ${MARK_RSS_MIB})`,
);
if (failed || waiting.broken > 0 || worst > MARK_P99_MS || most > MARK_RSS_MIB) process.exitCode = 1;
