/**
 * One cycle of the switch agent on a leaf with 512 ports and 128 tenants' VRFs: from a fresh configuration, with nothing
 * to do, and after half of the ports have changed hands.
 *
 *     node test/bench/switch-cycle.bench.ts [--quick]
 *
 * Redis is the real one, with what else a large leaf has in it: 20,000 rows of buffers and queues in CONFIG_DB, 10,000 of
 * transceivers in STATE_DB, 100,000 routes in ASIC_DB. A stand-in for swss and syncd follows in a process of its own; a
 * full cycle waits for it more than it works. FRR is left out. A round trip is one question to Redis with its answer,
 * however many commands are in it; commands are those that Redis counts, without the stand-in's in idle cycles only.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DesiredSwitch } from '../../packages/switch-agent/src/api.ts';
import { connectTo, CONFIG_DB, ASIC_DB, startRedis, STATE_DB } from '../../packages/switch-agent/test/redis-server.ts';
import { executorOf, freshConfig, LEAF, openDatabases, UPLINKS } from '../../packages/switch-agent/test/sonic/leaf.ts';
import { cycleOnce } from '../../packages/switch-agent/test/sonic/transitions.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const quick = process.argv.includes('--quick');
const PORTS = 512;
const VRFS = 128;
const IDLE_CYCLES = quick ? 5 : 30;

// Beside the ports that a fresh configuration has for other purposes.
const machines = Array.from({ length: PORTS }, (_, index) => `Ethernet${1000 + index}`);
/** Nine in ten are tenants', the rest firewalls and unprovisioned. `shift` moves ports to other VRFs. */
const desired = (shift: number): DesiredSwitch => ({
  nics: machines.map((name, index) => {
    if (index % 20 === 0) return { name };
    if (index % 20 === 10) return { name, vrf: 'default', filter: { cidrs: ['10.0.0.1/32'], vnis: ['20000'] } };
    const vni = 20_000 + ((index + (index % 2) * shift) % VRFS);
    return { name, vrf: `vrf${vni}`, filter: { cidrs: [`10.${vni % 256}.0.0/16`], vnis: [] } };
  }),
});

leaveNothingBehind();
await using redis = await startRedis();
const admin = await connectTo(redis.socketPath, CONFIG_DB);
await redis.run(CONFIG_DB, freshConfig(machines));
for (const [database, count, key] of [
  [CONFIG_DB, 20_000, 'BUFFER_QUEUE|Ethernet'],
  [STATE_DB, 10_000, 'TRANSCEIVER_DOM_SENSOR|Ethernet'],
  [ASIC_DB, 100_000, 'ASIC_STATE:SAI_OBJECT_TYPE_ROUTE_ENTRY:{"dest":"10.0.0.0/24","switch_id":"oid:0x21","vr":'],
] as const) {
  await redis.run(database, [
    ['EVAL', `for i = 1, tonumber(ARGV[2]) do redis.call('HSET', ARGV[1] .. i, 'a', 'b') end`, '0', key, String(count)],
  ]);
}
const orders = {
  socketPath: redis.socketPath,
  ports: [...machines, ...UPLINKS, 'Ethernet60', 'Ethernet64'],
  longestDelayMs: 2,
};
const main = fileURLToPath(new URL('../../packages/switch-agent/test/sonic/swss-main.ts', import.meta.url));
const swss = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, JSON.stringify(orders)], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
await once(swss.stdout, 'data');
using databases = openDatabases(redis.databases, 30_000);
const executor = { ...executorOf(databases, undefined, 60_000), pollMs: [50, 1000] as const };
const stores = [databases.configDb, databases.asicDb, databases.countersDb, databases.stateDb];

interface Measured {
  readonly ms: number;
  readonly cpuMs: number;
  readonly roundTrips: number;
  readonly commands: number;
  readonly rows: number;
}

async function measure(state: DesiredSwitch): Promise<Measured> {
  const asked = (): number => stores.reduce((sum, { roundTrips }) => sum + roundTrips, 0);
  const counted = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))?.[1]);
  const before = { trips: asked(), commands: await counted(), cpu: process.cpuUsage(), ms: performance.now() };
  const { plan, outcome } = await cycleOnce(executor, LEAF, state);
  const ms = performance.now() - before.ms;
  const cpu = process.cpuUsage(before.cpu);
  const problems = [...plan.problems, ...outcome.problems];
  if (problems.length > 0) throw new Error(JSON.stringify(problems.slice(0, 3)));
  return {
    ms,
    cpuMs: (cpu.user + cpu.system) / 1000,
    roundTrips: asked() - before.trips,
    // One of them is the question for the number.
    commands: (await counted()) - before.commands - 1,
    rows: plan.actions.reduce((sum, { changes }) => sum + changes.length, 0),
  };
}

const line = (name: string, { ms, cpuMs, roundTrips, commands, rows }: Measured): string =>
  `${name.padEnd(26)} ${ms.toFixed(0).padStart(7)} ${cpuMs.toFixed(0).padStart(7)} ${String(rows).padStart(6)} ${String(roundTrips).padStart(12)} ${String(commands).padStart(9)}`;

console.log(
  `${'cycle'.padEnd(26)} ${'ms'.padStart(7)} ${'CPU ms'.padStart(7)} ${'rows'.padStart(6)} ${'round trips'.padStart(12)} ${'commands'.padStart(9)}`,
);
console.log(line('first, of a fresh switch', await measure(desired(0))));
const idle: Measured[] = [];
for (let cycle = 0; cycle < IDLE_CYCLES; cycle += 1) idle.push(await measure(desired(0)));
const [median] = idle.toSorted((a, b) => a.ms - b.ms).slice(Math.floor(idle.length / 2));
if (median !== undefined) console.log(line(`idle, median of ${IDLE_CYCLES}`, median));
console.log(line('half of the ports move', await measure(desired(1))));
const { rss, heapUsed } = process.memoryUsage();
console.log(`memory: ${(rss / 2 ** 20).toFixed(0)} MiB resident, ${(heapUsed / 2 ** 20).toFixed(0)} MiB heap`);
const worst = Math.max(...idle.map(({ roundTrips }) => roundTrips));
if (worst >= 50 || idle.some(({ rows }) => rows > 0)) {
  console.error(`an idle cycle makes ${worst} round trips, or writes`);
  process.exitCode = 1;
}
admin.destroy();
swss.stdin.end();
await once(swss, 'exit');
