/**
 * DISCOVER and OFFER through a DHCP relay: ours beside ISC dhcrelay, 64 in flight, in one run.
 *
 *     sudo node test/bench/relay.bench.ts [--quick]
 *
 * Three network namespaces: 10,000 machines that broadcast (test/bench/load/dhcp-load.c), the relay with two links, and an
 * echo in C for a server (udp-echo.c). Both relays add option 82 and take it out again; the machines check every answer.
 * dhcrelay runs as a daemon, so that it writes no line for each packet. The last line is the machines against the echo
 * without a relay: the generator's own ceiling.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { compare, type Contender, type Measurement } from './support/compare.ts';
import { compileC } from '../support/compile.ts';
import { atEnd } from '../support/at-end.ts';
import {
  CLIENT_ADDRESS,
  createNamespacePair,
  deleteNamespaceNow,
  SERVER_ADDRESS,
  type Started,
} from '../support/namespace-pair.ts';
import { readCpuSeconds } from '../support/process-stat.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 1 : 5;
const COUNT = quick ? 20_000 : 100_000;
const SECONDS = quick ? 3 : 8;
const MAIN = fileURLToPath(new URL('../../packages/switch-agent/src/main.ts', import.meta.url));
const SERVER = '10.10.0.1';

interface LoadResult {
  readonly received: number;
  readonly lost: number;
  readonly bad: number;
  readonly firstBad: string;
  readonly perSecond: number;
  readonly p50us: number;
  readonly p99us: number;
  readonly rssKb: number;
}

leaveNothingBehind();
await using pair = await createNamespacePair();
const upstream = `${pair.names.server}-up`;
await using stack = new AsyncDisposableStack();
const removeUpstream = (): void => deleteNamespaceNow(upstream);
stack.defer(removeUpstream);
atEnd(removeUpstream);
await execa('ip', ['netns', 'add', upstream]);
const leaf = (words: string): Promise<unknown> => execa('ip', ['-n', pair.names.server, ...words.split(' ')]);
const behind = (words: string): Promise<unknown> => execa('ip', ['-n', upstream, ...words.split(' ')]);
await leaf(`link add up0 type veth peer name eth0 netns ${upstream}`);
await leaf('link set up0 up');
await leaf('addr add 10.10.0.2/24 dev up0');
await behind('link set eth0 up');
await behind(`addr add ${SERVER}/24 dev eth0`);
await behind(`route add ${SERVER_ADDRESS}/32 via 10.10.0.2`);
await execa('ip', ['-n', pair.names.client, 'route', 'add', '255.255.255.255/32', 'dev', 'eth0']);
const echo = compileC(new URL('load/udp-echo.c', import.meta.url));
const load = compileC(new URL('load/dhcp-load.c', import.meta.url));
// In the namespace of the echo, which the pair does not know.
void execa('ip', ['netns', 'exec', upstream, echo, SERVER], { reject: false });

const details = new Map<string, string>();

async function measure(name: string, pid: number): Promise<Measurement> {
  const words = `--server 255.255.255.255 --from ${CLIENT_ADDRESS} --clients --outstanding 64 --count ${COUNT} --seconds ${SECONDS} --pid ${pid}`;
  const run = async (): Promise<LoadResult> => JSON.parse(await pair.run('client', [load, ...words.split(' ')]));
  // A just-in-time compiler needs its warm-up, which a daemon has once in months; the other gets the same one.
  await run();
  const before = readCpuSeconds(pid);
  const result = await run();
  const cost = ((readCpuSeconds(pid) - before) * 1_000_000) / Math.max(1, result.received);
  if (result.received === 0) throw new Error(`no answer that holds: ${result.firstBad}`);
  details.set(
    name,
    `${result.lost} lost, ${result.bad} wrong${result.bad > 0 ? ` (${result.firstBad})` : ''}, p50 ${result.p50us} µs, p99 ${result.p99us} µs, ${Math.round(result.rssKb / 1024)} MB`,
  );
  return { value: result.perSecond, cost };
}

function ours(): Promise<Started> {
  const words = `relay --interfaces eth0 --servers ${SERVER} --hostname leaf1`;
  return pair.start('server', [process.execPath, MAIN, ...words.split(' ')], { ready: /daemon\.ready/ });
}

/** Gives its process id; its parent has ended by then. */
async function dhcrelay(): Promise<number> {
  const pidFile = `${pair.folder}/dhcrelay.pid`;
  await pair.run('server', `dhcrelay -4 -q -a -m discard -pf ${pidFile} -id eth0 -iu up0 ${SERVER}`.split(' '));
  await pause(200);
  return Number(readFileSync(pidFile, 'latin1'));
}

const contenders: readonly Contender[] = [
  {
    name: 'ingot',
    measure: async () => {
      await using relay = await ours();
      return await measure('ingot', relay.pid);
    },
  },
  {
    name: 'ISC dhcrelay',
    needs: { program: 'dhcrelay', debianPackage: 'isc-dhcp-relay' },
    measure: async () => {
      const pid = await dhcrelay();
      try {
        return await measure('ISC dhcrelay', pid);
      } finally {
        process.kill(pid, 'SIGKILL');
        await pause(200);
      }
    },
  },
  {
    name: 'the generator’s ceiling',
    measure: async () => {
      await using direct = await pair.start('server', [echo, '0.0.0.0'], { ready: /listening/ });
      return await measure('the generator’s ceiling', direct.pid);
    },
  },
];

await compare({
  title: 'DHCP relay, DISCOVER and OFFER, 64 in flight',
  unit: 'exchanges/s',
  costUnit: 'µs of processor time each',
  ours: 'ingot',
  rounds: ROUNDS,
  contenders,
});
console.log('\nlast round:');
for (const [name, text] of details) console.log(`  ${name.padEnd(34)} ${text}`);
