// TFTP beside tftpd-hpa, atftpd and dnsmasq: one client and fifty, in lockstep and in windows, 1468-byte blocks.
//
// The load generator checks every byte. The last row of each table is the same generator against the barest server there
// can be, in C: with a ceiling above every server, it is the servers that are measured.
//
//     sudo node test/bench/tftp.bench.ts [--quick | --rounds N] [--only NAME …] [--load PART_OF_A_TITLE …]
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBootServer } from '../support/boot-server.ts';
import { readFamilyCpuSeconds } from '../support/process-stat.ts';
import { benchArguments } from './support/arguments.ts';
import { compare, findProgram, type Contender, type Measurement } from './support/compare.ts';
import { compileC } from '../support/compile.ts';
import { createNamespacePair, SERVER_ADDRESS, type NamespacePair, type Started } from '../support/namespace-pair.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

/** dnsmasq knows port 69 only, and we have that on the first address. */
const DNSMASQ_ADDRESS = '10.9.0.3';
const MIB = 2 ** 20;
const OURS = 'ingot';
const CEILING = 'a bare server in C';

interface Load {
  readonly title: string;
  readonly file: string;
  readonly clients: number;
  readonly transfers: number;
  readonly windowsize: number;
  readonly ackDelayUs?: number;
}

const LOADS: readonly Load[] = [
  { title: 'one client in lockstep', file: 'large', clients: 1, transfers: 1, windowsize: 1 },
  { title: 'one client, window of 16', file: 'large', clients: 1, transfers: 1, windowsize: 16 },
  {
    title: 'one client, window of 64, 0.2 ms away',
    file: 'medium',
    clients: 1,
    transfers: 1,
    windowsize: 64,
    ackDelayUs: 200,
  },
  { title: '50 clients in lockstep, 1 MiB each', file: 'small', clients: 50, transfers: 200, windowsize: 1 },
  { title: '50 clients, window of 16, 1 MiB each', file: 'small', clients: 50, transfers: 200, windowsize: 16 },
];

const { rounds, quick, takesPart, asksFor } = benchArguments();
const load = compileC(new URL('load/tftp-load.c', import.meta.url));
const hpa = fetchTftpdHpa();
leaveNothingBehind();
await using pair = await createNamespacePair();
const root = join(pair.folder, 'tftp');
mkdirSync(root);
for (const [name, mebibytes] of [
  ['large', 64],
  ['medium', 16],
  ['small', 1],
] as const)
  writeFileSync(join(root, name), randomBytes(mebibytes * MIB));
chmodSync(pair.folder, 0o755);
await pair.run('server', ['ip', 'address', 'add', `${DNSMASQ_ADDRESS}/16`, 'dev', 'eth0']);

// All of them are there all the time: idle, they cost nothing. All clients have one address here.
const ours = await startBootServer(pair, {
  tftp: { root, maxTransfersPerClient: 500 },
  artifacts: { roots: [root] },
});
const peers: readonly Peer[] = [
  { name: 'tftpd-hpa', address: SERVER_ADDRESS, port: 6970, program: hpa, debianPackage: 'tftpd-hpa' },
  { name: 'atftpd', address: SERVER_ADDRESS, port: 6971, program: findProgram('atftpd'), debianPackage: 'atftpd' },
  {
    name: 'dnsmasq',
    address: DNSMASQ_ADDRESS,
    port: 69,
    program: findProgram('dnsmasq'),
    debianPackage: 'dnsmasq-base',
  },
];
const servers: Server[] = [{ name: OURS, address: SERVER_ADDRESS, port: () => 69, pid: () => ours.pid }];
const absent: Contender[] = [];
for (const { name, address, port, program, debianPackage } of peers.filter((peer) => takesPart(peer.name))) {
  if (program === undefined) {
    absent.push({ name, needs: { program: debianPackage, debianPackage }, measure: () => Promise.resolve(Number.NaN) });
    continue;
  }
  const { pid } = await startPeer(name, program, address, port);
  // tftpd-hpa's processes, one for each transfer, are waited for by nobody: their time is lost.
  const isCounted = name !== 'tftpd-hpa';
  servers.push({ name, address, port: () => port, pid: () => (isCounted ? pid : undefined) });
}
if (takesPart(CEILING)) {
  const bare = await startCeilings(pair);
  const of = (file: string): Bare => bare.get(file) ?? { port: 0, pid: 0 };
  servers.push({
    name: CEILING,
    address: SERVER_ADDRESS,
    port: (file) => of(file).port,
    pid: (file) => of(file).pid,
  });
}
for (const each of LOADS.filter(({ title }) => asksFor(title))) {
  // What a daemon has compiled, mapped and cached once in months is not what is measured.
  for (const server of servers) await measure(each, server);
  await compare({
    title: each.title,
    unit: 'MB/s',
    costUnit: 'ms of processor time for a MB',
    ours: OURS,
    rounds,
    patient: !quick,
    contenders: [
      ...servers.map((server): Contender => ({ name: server.name, measure: () => measure(each, server) })),
      ...absent,
    ],
  });
}

interface Peer {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Undefined for what is not installed. */
  readonly program: string | undefined;
  readonly debianPackage: string;
}

interface Server {
  readonly name: string;
  readonly address: string;
  readonly port: (file: string) => number;
  /** Undefined where its processor time cannot be had. */
  readonly pid: (file: string) => number | undefined;
}

interface Bare {
  readonly port: number;
  readonly pid: number;
}

function startPeer(name: string, program: string, address: string, port: number): Promise<Started> {
  const commands: Readonly<Record<string, string>> = {
    'tftpd-hpa': `-L -4 -a ${address}:${port} -u root -s ${root}`,
    atftpd: `--daemon --no-fork --port ${port} --bind-address ${address} --user root.root --verbose=0 --maxthread 500 ${root}`,
    dnsmasq: `-k -C /dev/null -p 0 --enable-tftp --tftp-root=${root} --tftp-max=500 --listen-address=${address} --bind-interfaces --user=root --pid-file=`,
  };
  return pair.start('server', [program, ...(commands[name] ?? '').split(' ')]);
}

/** A bare server for each file: it knows no names. */
async function startCeilings(on: NamespacePair): Promise<ReadonlyMap<string, Bare>> {
  const started = new Map<string, Bare>();
  for (const [index, file] of ['large', 'medium', 'small'].entries()) {
    const port = 6980 + index;
    const command = [load, 'serve', SERVER_ADDRESS, String(port), join(root, file)];
    const { pid } = await on.start('server', command, { ready: /ready/ });
    started.set(file, { port, pid });
  }
  return started;
}

/** Megabytes a second, all clients together. */
async function measure(each: Load, { address, port, pid }: Server): Promise<Measurement> {
  const { clients, windowsize, ackDelayUs = 0 } = each;
  const file = quick && each.file === 'large' ? 'medium' : each.file;
  const transfers = quick ? Math.ceil(each.transfers / 2) : each.transfers;
  const numbers = [clients, transfers, 1468, windowsize, ackDelayUs].map(String);
  const process = pid(file);
  const before = process === undefined ? 0 : readFamilyCpuSeconds(process);
  const command = [load, address, String(port(file)), file, join(root, file), ...numbers];
  const output = await pair.run('client', command, 60_000);
  const after = process === undefined ? 0 : readFamilyCpuSeconds(process);
  const [seconds = 0, bytes = 0] = output.trim().split(' ').map(Number);
  const value = bytes / seconds / 1e6;
  return process === undefined ? { value } : { value, cost: ((after - before) * 1000) / (bytes / 1e6) };
}

/**
 * tftpd-hpa and atftpd exclude each other as packages: this one is taken out of its package, into the cache. Undefined
 * where neither is to be had.
 */
function fetchTftpdHpa(): string | undefined {
  const folder = fileURLToPath(new URL('../../.cache/peers/tftpd-hpa', import.meta.url));
  const program = join(folder, 'usr/sbin/in.tftpd');
  if (existsSync(program)) return program;
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync('apt-get', ['download', 'tftpd-hpa'], { cwd: folder, stdio: 'ignore', timeout: 60_000 });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (archive !== undefined) execFileSync('dpkg-deb', ['-x', join(folder, archive), folder], { stdio: 'ignore' });
  } catch {
    // Offline: the table says what is left out.
  }
  return existsSync(program) ? program : findProgram('in.tftpd');
}
