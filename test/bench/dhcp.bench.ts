/**
 * Relayed DISCOVER→OFFER: the boot server beside dnsmasq, Kea and ISC dhcpd, 64 in flight, in one run.
 *
 *     sudo node test/bench/dhcp.bench.ts [--quick] [--rounds N] [--only NAME] [--load TEXT]
 *
 * Each server is the real program with a configuration file, in one network namespace; the load generator
 * (test/bench/load/dhcp-load.c) is in another, as a relay with 10,000 machines behind it, and checks every answer. All
 * have 16,384 addresses and write their log to a file, at their default level where that is one line a packet or less.
 * The last line of the first table is the same generator against an echo in C: far above the servers, so it is not what
 * limits them. The second table has a decision source (pixiecore's HTTP API) that takes 5 ms for each answer.
 */
import { benchArguments } from './support/arguments.ts';
import { compare, type Comparison, type Contender } from './support/compare.ts';
import { compileC } from '../support/compile.ts';
import { startBootServer, POOL } from '../support/boot-server.ts';
import {
  CLIENT_ADDRESS,
  createNamespacePair,
  PAIR_NETWORK,
  SERVER_ADDRESS,
  type NamespacePair,
  type Started,
} from '../support/namespace-pair.ts';
import { readCpuSeconds } from '../support/process-stat.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const { rounds, quick, takesPart, asksFor } = benchArguments();
const COUNT = quick ? 20_000 : 100_000;
/** A slow server ends by time. */
const SECONDS = quick ? 3 : 8;
const OUTSTANDING = 64;
const OURS = 'ingot';

/** What dhcp-load prints. */
interface LoadResult {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly bad: number;
  readonly firstBad: string;
  readonly relayLast: number;
  readonly perSecond: number;
  readonly p50us: number;
  readonly p99us: number;
  readonly rssKb: number;
}

const details = new Map<string, string>();

async function load(pair: NamespacePair, pid: number, more: readonly string[], count = COUNT): Promise<LoadResult> {
  const program = compileC(new URL('load/dhcp-load.c', import.meta.url));
  const words = `--server ${SERVER_ADDRESS} --from ${CLIENT_ADDRESS} --outstanding ${OUTSTANDING} --count ${count} --seconds ${SECONDS} --pid ${pid}`;
  const result: LoadResult = JSON.parse(await pair.run('client', [program, ...words.split(' '), ...more]));
  return result;
}

/** A server that is started, warmed up, measured once and stopped. */
function contender(
  pair: NamespacePair,
  name: string,
  start: () => Promise<Started>,
  options: {
    readonly needs?: Contender['needs'];
    readonly load?: readonly string[];
    readonly warmUp?: readonly string[];
  } = {},
): Contender {
  const { needs, load: more = [], warmUp = more } = options;
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    measure: async () => {
      await using server = await start();
      // A just-in-time compiler needs its warm-up, which a daemon has once in months; the others get the same one.
      await load(pair, server.pid, warmUp);
      const before = readCpuSeconds(server.pid);
      const result = await load(pair, server.pid, more);
      const cpuUs = ((readCpuSeconds(server.pid) - before) * 1_000_000) / Math.max(1, result.received);
      if (result.received === 0) throw new Error(`no answer that holds: ${result.firstBad}\n${server.output()}`);
      const echoed = result.relayLast >= result.received ? 'option 82 last' : 'option 82 not last';
      details.set(
        name,
        `${result.lost} lost, ${result.bad} wrong${result.bad > 0 ? ` (${result.firstBad})` : ''}, p50 ${result.p50us} µs, p99 ${result.p99us} µs, ${cpuUs.toFixed(1)} µs of processor time each, ${Math.round(result.rssKb / 1024)} MB, ${echoed}`,
      );
      return result.perSecond;
    },
  };
}

function dnsmasq(pair: NamespacePair, more: readonly string[]): Promise<Started> {
  const words = `dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --log-facility=- --quiet-dhcp --no-ping --dhcp-authoritative --dhcp-leasefile=${pair.folder}/dnsmasq.leases --pid-file --dhcp-lease-max=20000`;
  return pair.start('server', [...words.split(' '), ...more], { ready: /started/ });
}

function kea(pair: NamespacePair, socketType: 'raw' | 'udp'): Promise<Started> {
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: [`eth0/${SERVER_ADDRESS}`], 'dhcp-socket-type': socketType },
      'lease-database': { type: 'memfile', name: `${pair.folder}/kea.csv` },
      'valid-lifetime': 3600,
      subnet4: [
        {
          subnet: PAIR_NETWORK,
          pools: [{ pool: `${POOL.first} - ${POOL.last}` }],
          'option-data': [{ name: 'routers', data: SERVER_ADDRESS }],
          'next-server': SERVER_ADDRESS,
          'boot-file-name': 'snponly.efi',
        },
      ],
      loggers: [{ name: 'kea-dhcp4', severity: 'INFO', output_options: [{ output: 'stdout' }] }],
    },
  };
  return pair.start('server', ['kea-dhcp4', '-c', pair.file('kea.json', JSON.stringify(config))], {
    ready: /DHCP4_STARTED/,
    env: { KEA_PIDFILE_DIR: pair.folder, KEA_LOCKFILE_DIR: 'none' },
  });
}

function iscDhcpd(pair: NamespacePair): Promise<Started> {
  const config = pair.file(
    'dhcpd.conf',
    `authoritative;
ping-check off;
subnet 10.9.0.0 netmask 255.255.0.0 {
  range ${POOL.first} ${POOL.last};
  option routers ${SERVER_ADDRESS};
  next-server ${SERVER_ADDRESS};
  filename "snponly.efi";
}
`,
  );
  const leases = pair.file('dhcpd.leases', '');
  return pair.start(
    'server',
    ['dhcpd', '-4', '-f', '-q', '--no-pid', '-cf', config, '-lf', leases, '-user', 'root', '-group', 'root', 'eth0'],
    { ready: /^$|Server starting/ },
  );
}

function echo(pair: NamespacePair): Promise<Started> {
  return pair.start('server', [compileC(new URL('load/udp-echo.c', import.meta.url)), SERVER_ADDRESS], {
    ready: /listening/,
  });
}

leaveNothingBehind();
await using pair = await createNamespacePair();
const dnsmasqNeeds = { program: 'dnsmasq', debianPackage: 'dnsmasq-base' };
const keaNeeds = { program: 'kea-dhcp4', debianPackage: 'kea-dhcp4-server' };
const range = `--dhcp-range=${POOL.first},${POOL.last},255.255.0.0,1h`;
/** What to boot is in the configuration, as in the others': no API is asked, or found missing, on the side. */
const profiles = { api: undefined, sources: { profiles: { inline: [{ name: 'all', kernel: '/srv/vmlinuz' }] } } };
/** Nobody pings: the others are told not to, either. */
const leasing = {
  listen: [SERVER_ADDRESS],
  conflictDetectionMs: 0,
  subnets: [{ subnet: PAIR_NETWORK, pool: `${POOL.first}-${POOL.last}`, routers: [SERVER_ADDRESS] }],
};
const proxySubnets = { listen: [SERVER_ADDRESS], mode: 'proxy', subnets: [{ subnet: PAIR_NETWORK }] };
await compareAsked({
  title: `DHCP, relayed DISCOVER→OFFER, ${OUTSTANDING} in flight`,
  unit: 'offers/s',
  ours: OURS,
  rounds,
  contenders: [
    contender(pair, OURS, () => startBootServer(pair, { ...profiles, dhcp: leasing })),
    contender(pair, 'ingot, proxy', () => startBootServer(pair, { ...profiles, dhcp: proxySubnets }), {
      load: ['--proxy'],
    }),
    contender(pair, 'dnsmasq', () => dnsmasq(pair, [range, '--dhcp-boot=snponly.efi']), { needs: dnsmasqNeeds }),
    contender(
      pair,
      'dnsmasq, proxy',
      () => dnsmasq(pair, ['--dhcp-range=10.9.0.0,proxy,255.255.0.0', '--pxe-service=X86-64_EFI,iPXE,snponly.efi']),
      { needs: dnsmasqNeeds, load: ['--proxy'] },
    ),
    contender(pair, 'Kea, raw', () => kea(pair, 'raw'), { needs: keaNeeds }),
    contender(pair, 'Kea, udp', () => kea(pair, 'udp'), { needs: keaNeeds }),
    contender(pair, 'ISC dhcpd', () => iscDhcpd(pair), {
      needs: { program: 'dhcpd', debianPackage: 'isc-dhcp-server' },
    }),
    contender(pair, 'the generator’s ceiling', () => echo(pair)),
  ],
});
const slowApi = compileC(new URL('load/slow-api.c', import.meta.url));
await pair.start('server', [slowApi, '127.0.0.1', '4777', '5'], { ready: /listening/ });
const slow = { api: undefined, dhcp: proxySubnets, sources: { http: { url: 'http://127.0.0.1:4777' } } };
const again = `${OURS}, proxy, each machine ten times`;
await compareAsked({
  title: 'The same with a decision source that takes 5 ms',
  unit: 'offers/s',
  ours: again,
  rounds,
  contenders: [
    contender(pair, again, () => startBootServer(pair, slow), {
      load: ['--proxy', '--macs', String(COUNT / 10)],
      warmUp: ['--proxy', '--first-mac', '1000000'],
    }),
    contender(pair, `${OURS}, proxy, each machine once`, () => startBootServer(pair, slow), {
      load: ['--proxy', '--macs', String(COUNT)],
      // Machines of its own: those of the measurement are to be new.
      warmUp: ['--proxy', '--first-mac', '1000000'],
    }),
  ],
});
/** What `--load` and `--only` ask for. */
async function compareAsked(comparison: Comparison): Promise<void> {
  const { title, contenders } = comparison;
  if (!asksFor(title)) return;
  const own = contenders.filter(({ name }) => name.startsWith(OURS) || takesPart(name));
  await compare({ ...comparison, contenders: own });
}

console.log('\nlast round:');
for (const [name, text] of details) console.log(`  ${name.padEnd(34)} ${text}`);
