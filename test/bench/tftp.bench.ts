// TFTP beside tftpd-hpa, atftpd and dnsmasq: one client and fifty, in lockstep and in windows, 1468-byte blocks.
//
// The load generator checks every byte. The last row of each table is the same generator against the barest server there
// can be, in C: with a ceiling above every server, it is the servers that are measured.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBootServer } from '../support/boot-server.ts';
import { compare, findProgram, type Contender } from './support/compare.ts';
import { compileC } from '../support/compile.ts';
import { createNamespacePair, SERVER_ADDRESS, type NamespacePair } from '../support/namespace-pair.ts';

/** dnsmasq knows port 69 only, and we have that on the first address. */
const DNSMASQ_ADDRESS = '10.9.0.3';
const ROUNDS = 5;
const MIB = 2 ** 20;

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

const load = compileC(new URL('load/tftp-load.c', import.meta.url));
const hpa = fetchTftpdHpa();
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
await startBootServer(pair, {
  tftp: { root, maxTransfersPerClient: 50 },
  artifacts: { roots: [root] },
});
const servers: readonly Server[] = [
  { name: 'ingot', address: SERVER_ADDRESS, port: 69 },
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
for (const { name, address, port, program } of servers)
  if (program !== undefined) await startPeer(name, program, address, port);

const blind = await startCeilings(pair);
for (const each of LOADS) {
  const contenders = servers.map(({ name, address, port, program, debianPackage }): Contender => {
    const contender = { name, measure: () => measure(pair, each, address, port) };
    return debianPackage === undefined || program !== undefined
      ? contender
      : { ...contender, needs: { program: debianPackage, debianPackage } };
  });
  const ceiling: Contender = {
    name: 'a bare server in C',
    measure: () => measure(pair, each, SERVER_ADDRESS, blind.get(each.file) ?? 0),
  };
  await compare({
    title: each.title,
    unit: 'MB/s',
    ours: 'ingot',
    rounds: ROUNDS,
    contenders: [...contenders, ceiling],
  });
}

interface Server {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Undefined for ours, and for what is not installed. */
  readonly program?: string | undefined;
  readonly debianPackage?: string;
}

async function startPeer(name: string, program: string, address: string, port: number): Promise<void> {
  const commands: Readonly<Record<string, string>> = {
    'tftpd-hpa': `-L -4 -a ${address}:${port} -u root -s ${root}`,
    atftpd: `--daemon --no-fork --port ${port} --bind-address ${address} --user root.root --verbose=0 --maxthread 500 ${root}`,
    dnsmasq: `-k -C /dev/null -p 0 --enable-tftp --tftp-root=${root} --tftp-max=500 --listen-address=${address} --bind-interfaces --user=root --pid-file=`,
  };
  await pair.start('server', [program, ...(commands[name] ?? '').split(' ')]);
}

/** A port of the bare server for each file: it knows no names. */
async function startCeilings(on: NamespacePair): Promise<ReadonlyMap<string, number>> {
  const ports = new Map(['large', 'medium', 'small'].map((file, index) => [file, 6980 + index]));
  for (const [file, port] of ports)
    await on.start('server', [load, 'serve', SERVER_ADDRESS, String(port), join(root, file)], { ready: /ready/ });
  return ports;
}

/** Megabytes a second, all clients together. */
async function measure(on: NamespacePair, each: Load, address: string, port: number): Promise<number> {
  const { file, clients, transfers, windowsize, ackDelayUs = 0 } = each;
  const numbers = [clients, transfers, 1468, windowsize, ackDelayUs].map(String);
  const output = await on.run('client', [load, address, String(port), file, join(root, file), ...numbers], 60_000);
  const [seconds = 0, bytes = 0] = output.trim().split(' ').map(Number);
  return bytes / seconds / 1e6;
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
