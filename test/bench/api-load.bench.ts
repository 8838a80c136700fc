/**
 * The API server under the load of a large hall: 10,000 machines that register at once, then say every minute that they
 * live, 500 switches that send heartbeats every ten seconds, 1,000 machines that hold a Wait stream each, are then
 * allocated to one tenant, and installed.
 *
 *     node test/bench/api-load.bench.ts [--quick] [--database postgres] [--machines N] [--switches N] [--waiters N]
 *                                       [--seconds N] [--at-once N] [--profile DIRECTORY]
 *
 * The server is a process of its own, `ingot api-server`; this one makes the load, with gRPC over HTTP/2 and TLS. Every
 * machine that waits and every switch has a connection of its own, the other machines share 32. Latencies count from when
 * a call was due. At the end stands the floor of each phase: as many rows of the same bytes, each written by itself to the
 * same kind of database. Ends with status 1 when a call failed, or when the marks are missed: a p99 of 100 ms, 512 MiB.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createChannel } from '@ingot/api';
import { startPostgres } from '../../packages/api-server/test/postgres-server.ts';
import { readCpuSeconds, readFamilyCpuSeconds, readMemoryMb } from '../support/process-stat.ts';
import { writeCatalogue } from './api-load/catalogue.ts';
import { generatorCeiling } from './api-load/ceiling.ts';
import { postgresFloor, sqliteFloor } from './api-load/floor.ts';
import type { Connection } from './api-load/grpc-calls.ts';
import { buildHall } from './api-load/hall.ts';
import { createLatencies, percentile, type Latencies } from './api-load/latencies.ts';
import { inParallel, openRig } from './api-load/rig.ts';
import { startServer } from './api-load/server.ts';
import { steadyState } from './api-load/steady.ts';
import { registerStorm, registerSwitches } from './api-load/storm.ts';
import { allocateAll, installAll, openWaiters, sayAlive } from './api-load/wake.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

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
    'at-once': { type: 'string' },
    profile: { type: 'string' },
  },
});
const count = (
  name: 'machines' | 'switches' | 'waiters' | 'seconds' | 'at-once',
  full: number,
  quick: number,
): number => {
  const value = Number(values[name] ?? (values.quick ? quick : full));
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`--${name}: write a whole number of at least 1`);
  return value;
};
const machines = count('machines', 10_000, 1_000);
const switches = count('switches', 500, 50);
const waiters = count('waiters', 1_000, 100);
const seconds = count('seconds', 60, 10);
const atOnce = count('at-once', 16, 16);
if (values.database !== 'sqlite' && values.database !== 'postgres')
  throw new RangeError('--database: sqlite or postgres');

leaveNothingBehind();
await using cleanup = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'ingot-load-'));
cleanup.defer(() => rm(directory, { recursive: true, force: true }));
const postgres = values.database === 'postgres' ? cleanup.use(await startPostgres()) : undefined;
const database = await postgres?.createDatabase();
const floorDatabase = await postgres?.createDatabase();
const hall = buildHall(machines, switches);
const server = cleanup.use(
  await startServer({
    directory,
    ...(database === undefined ? {} : { database }),
    ...(values.profile === undefined ? {} : { profileDirectory: values.profile }),
  }),
);
const admin = createChannel({ url: server.url, ca: server.ca, token: server.adminToken });
cleanup.defer(() => admin.close());
const tenant = await writeCatalogue(admin);
const rig = cleanup.use(await openRig(hall, server, admin, SHARED_CONNECTIONS));

let worst = 0;
let failed = false;

interface Phase {
  readonly title: string;
  /** Whether calls were made when they were due, and not as soon as the server could take them. */
  readonly paced: boolean;
  readonly tookMs: number;
  readonly cpuEach: number;
  readonly written: readonly number[];
}
const phases: Phase[] = [];

/** Runs a phase and prints what it cost. */
async function phase<T>(title: string, work: (latencies: Latencies) => Promise<T>, paced = false): Promise<T> {
  const latencies = createLatencies();
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const readDatabase = (): number => (postgres === undefined ? 0 : readFamilyCpuSeconds(postgres.pid));
  const before = {
    server: readCpuSeconds(server.pid),
    database: readDatabase(),
    own: readCpuSeconds(process.pid),
    at: performance.now(),
  };
  const result = await work(latencies);
  const tookMs = performance.now() - before.at;
  delays.disable();
  const cpuMs = (readCpuSeconds(server.pid) - before.server) * 1000;
  const databaseMs = (readDatabase() - before.database) * 1000;
  const ownMs = (readCpuSeconds(process.pid) - before.own) * 1000;
  const { now, most } = readMemoryMb(server.pid);
  phases.push({ title, paced, tookMs, cpuEach: cpuMs / latencies.calls, written: rig.takeWritten() });
  console.log(`\n${title}`);
  for (const line of latencies.table()) console.log(line);
  console.log(
    `  ${(tookMs / 1000).toFixed(1)} s, ${((latencies.calls * 1000) / tookMs).toFixed(0)} calls/s; processor time of the server ` +
      `${(cpuMs / latencies.calls).toFixed(2)} ms for each call, ${(cpuMs / 1000).toFixed(1)} s in all` +
      `${postgres === undefined ? '' : `, of PostgreSQL ${(databaseMs / latencies.calls).toFixed(2)} ms`}; its memory ${now} MiB, at most ${most} MiB`,
  );
  console.log(
    `  generator: ${(ownMs / latencies.calls).toFixed(2)} ms of processor time for each call, ` +
      `busy for ${((100 * ownMs) / tookMs).toFixed(0)} % of the time, its turns late by ${(delays.percentile(99) / 1e6 - 5).toFixed(0)} ms (p99)`,
  );
  worst = Math.max(worst, latencies.worstP99());
  failed ||= latencies.failures.size > 0;
  return result;
}

const ceiling = await generatorCeiling(server.tlsDirectory, server.ca);
console.log(
  `the generator's ceiling, against the least that answers: ${Math.round(ceiling.perSecond).toLocaleString('en-GB')} calls/s, ` +
    `${ceiling.cpuEach.toFixed(2)} ms of its processor time for each`,
);
const switchTokens = await phase(`${switches} switches register, ${atOnce} at once`, (latencies) =>
  registerSwitches(rig, latencies, atOnce),
);
const storm = `register storm: ${machines} machines switched on, ${atOnce} under way at once`;
const machineTokens = await phase(storm, (latencies) => registerStorm(rig, latencies, atOnce));
const switchConnections: Connection[] = [];
await inParallel(hall.switches, atOnce, async (_one, index) => {
  switchConnections[index] = await rig.open();
});
const waiting = cleanup.use(await openWaiters(rig, machineTokens, waiters, atOnce));
const steady = async (title: string): Promise<void> => {
  const options = { seconds, machineTokens, switchTokens, switchConnections, random: Math.random };
  const late = await phase(title, (latencies) => steadyState(rig, latencies, options), true);
  const p99 = percentile(
    late.toSorted((a, b) => a - b),
    0.99,
  );
  console.log(`  calls left it late by ${p99.toFixed(1)} ms (p99), which counts as the server's`);
};
await steady(`steady state: ${seconds} s, with ${waiters} open Wait streams`);
await sayAlive(rig, machineTokens, waiters, atOnce);
await phase(`${waiters} machines that wait are allocated, 4 at once`, (latencies) =>
  allocateAll(rig, waiting, latencies, tenant, { count: waiters, atOnce: 4 }),
);
await phase(`${waiters} machines are installed, ${atOnce} at once`, (latencies) =>
  installAll(rig, latencies, machineTokens, { count: waiters, atOnce }),
);
await steady(`steady state: ${seconds} s, with ${waiters} machines of one tenant on the ports`);
if (waiting.broken > 0) console.log(`${waiting.broken} Wait streams have broken`);

const { most } = readMemoryMb(server.pid);
waiting[Symbol.dispose]();
rig[Symbol.dispose]();
admin.close();
await server.stop();

console.log(
  `\nthe floor: as many rows of the same bytes as a phase had calls that write, one after the other, each by itself, to ${
    database === undefined ? 'SQLite (WAL, synchronous FULL)' : 'PostgreSQL'
  }; ours ÷ floor in time and in processor time for each`,
);
for (const { title, paced, tookMs, cpuEach, written } of phases) {
  const floor =
    floorDatabase === undefined ? await sqliteFloor(directory, written) : await postgresFloor(floorDatabase, written);
  console.log(
    `  ${title.padEnd(64)} ${floor.writes.toLocaleString('en-GB').padStart(7)} rows: p50 ${floor.p50.toFixed(2)} ms, p99 ` +
      `${floor.p99.toFixed(2)} ms, ${(floor.totalMs / 1000).toFixed(1)} s (${paced ? 'calls came when they were due' : `× ${(tookMs / floor.totalMs).toFixed(1)}`}), ` +
      `processor time ${floor.cpuEach.toFixed(2)} ms each (× ${(cpuEach / floor.cpuEach).toFixed(1)})`,
  );
}
console.log(
  `\nworst p99 ${worst.toFixed(1)} ms (mark ${MARK_P99_MS}), server's memory at most ${most} MiB (mark ${MARK_RSS_MIB})`,
);
if (failed || waiting.broken > 0 || worst > MARK_P99_MS || most > MARK_RSS_MIB) process.exitCode = 1;
