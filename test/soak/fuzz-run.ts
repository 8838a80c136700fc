import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../bench/support/compare.ts';
import { POOL, startBootServer } from '../support/boot-server.ts';
import { compileC } from '../support/compile.ts';
import { readComplaints, type Complaint } from '../support/complaints.ts';
import {
  CLIENT_ADDRESS,
  createNamespacePair,
  PAIR_NETWORK,
  SERVER_ADDRESS,
  type NamespacePair,
} from '../support/namespace-pair.ts';
import { readCpuSeconds, readMemoryMb } from '../support/process-stat.ts';
import { fuzzCorpus } from './corpus.ts';
import { honestReservations, runHonestClients, type Served } from './honest-clients.ts';

/** Where hostile packets come from, and the network of the relay that they claim to come through. */
const SOURCES = '10.9.128.0/17';
/** A part of them, for hostile HTTP clients. */
const HTTP_SOURCES = '10.9.128.0';
const SERVER6 = '2001:db8::1';
const CLIENT6 = '2001:db8::2';
const SOURCES6 = '2001:db8:f::/64';
const ATTACKED6 = '2001:db8:1::/64';
const ATTACKED = { subnet: '10.10.0.0/16', first: '10.10.64.0', last: '10.10.127.255' };

export interface FuzzOptions {
  readonly packets: number;
  /** The run ends then, however many packets were sent. */
  readonly seconds: number;
  readonly seed: number;
}

export interface FuzzResult {
  readonly sent: number;
  readonly seconds: number;
  /** Datagrams that came back. */
  readonly replies: number;
  /** Datagrams that found a full socket: they were not parsed. */
  readonly dropped: number;
  readonly http: { readonly requests: number; readonly answers: Readonly<Record<string, number>> };
  readonly honest: { readonly leases: Served; readonly tftp: Served; readonly http: Served };
  /** Resident memory in MB: before, in the middle of the run, at its end. */
  readonly rss: { readonly before: number; readonly middle: number; readonly end: number; readonly peak: number };
  /** Processor time of the server for each datagram, HTTP and honest clients included. */
  readonly cpuUsPerPacket: number;
  /** Undefined while the server runs. */
  readonly exited: string | undefined;
  readonly complaints: readonly Complaint[];
  readonly logBytes: number;
}

/** Spoiled packets at every listener of a real boot server, and honest clients beside them. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { packets, seconds, seed } = options;
  await using pair = await createNamespacePair();
  await route(pair);
  const server = await startBootServer(pair, {
    dhcp: {
      listen: [SERVER_ADDRESS],
      subnets: [
        { subnet: PAIR_NETWORK, pool: `${POOL.first}-${POOL.last}`, reservations: honestReservations() },
        { subnet: ATTACKED.subnet, pool: `${ATTACKED.first}-${ATTACKED.last}` },
      ],
    },
    dhcp6: {
      listen: [SERVER6],
      subnets: [
        { subnet: '2001:db8::/64', interface: 'eth0', pool: '2001:db8::1:0-2001:db8::1:ffff' },
        { subnet: ATTACKED6, pool: '2001:db8:1::1:0-2001:db8:1::1:ffff' },
      ],
    },
    http: { listen: [`${SERVER_ADDRESS}:8080`, `[${SERVER6}]:8081`] },
  });
  const corpus = join(pair.folder, 'corpus');
  writeFileSync(corpus, fuzzCorpus());

  const samples: number[] = [readMemoryMb(server.pid).now];
  const stop = new AbortController();
  const sampling = (async () => {
    while (!stop.signal.aborted) {
      samples.push(readMemoryMb(server.pid).now);
      await pause(250);
    }
  })();
  const honest = runHonestClients(pair, stop.signal);
  try {
    const timeoutMs = (seconds + 60) * 1000;
    const udp = `--server ${SERVER_ADDRESS} --sources ${SOURCES.split('/')[0]} --server6 ${SERVER6} --sources6 ${SOURCES6.split('/')[0]} --corpus ${corpus} --packets ${packets} --seconds ${seconds} --seed ${seed} --pid ${server.pid}`;
    const http = `${SERVER_ADDRESS} 8080 ${HTTP_SOURCES} ${Math.ceil(packets / 100)} ${seconds} ${seed}`;
    const hostile = new URL('hostile-http-main.ts', import.meta.url).pathname;
    const [udpText, httpText] = await Promise.all([
      pair.run('client', [compileC(new URL('load/fuzz-send.c', import.meta.url)), ...udp.split(' ')], timeoutMs),
      pair.run('client', [process.execPath, hostile, ...http.split(' ')], timeoutMs),
    ]);
    const cpuSeconds = readCpuSeconds(server.pid);
    stop.abort();
    const served = await honest;
    const sender: { sent: number; seconds: number; replies: number; dropped: number } = JSON.parse(udpText);
    const { exitCode, signalCode } = server.process;
    const share = (from: number, to: number): number =>
      median(samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to)));
    return {
      ...sender,
      http: JSON.parse(httpText),
      honest: served,
      rss: {
        before: samples[0] ?? 0,
        middle: share(0.4, 0.6),
        end: share(0.9, 1),
        peak: Math.max(...samples),
      },
      cpuUsPerPacket: (cpuSeconds * 1_000_000) / Math.max(1, sender.sent),
      exited: exitCode === null && signalCode === null ? undefined : `${exitCode ?? signalCode}`,
      complaints: await readComplaints(server.logPath),
      logBytes: statSync(server.logPath).size,
    };
  } finally {
    stop.abort();
    await sampling;
    await honest.catch(() => undefined);
  }
}

/** Both networks of the attack are addresses of the client's side, routed there as through a leaf. */
async function route(pair: NamespacePair): Promise<void> {
  await pair.run('server', ['ip', '-6', 'addr', 'add', `${SERVER6}/64`, 'dev', 'eth0', 'nodad']);
  await pair.run('client', ['ip', '-6', 'addr', 'add', `${CLIENT6}/64`, 'dev', 'eth0', 'nodad']);
  for (const network of [SOURCES6, ATTACKED6]) {
    await pair.run('server', ['ip', '-6', 'route', 'add', network, 'via', CLIENT6]);
    await pair.run('client', ['ip', '-6', 'route', 'add', 'local', network, 'dev', 'lo']);
  }
  for (const network of [SOURCES, ATTACKED.subnet]) {
    await pair.run('server', ['ip', 'route', 'add', network, 'via', CLIENT_ADDRESS]);
    await pair.run('client', ['ip', 'route', 'add', 'local', network, 'dev', 'lo']);
  }
}
