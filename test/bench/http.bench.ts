/**
 * HTTP: a 200 MB initrd by 1, 8 and 50 clients at once, the boot server's two engines beside nginx, in one run.
 *
 *     sudo node test/bench/http.bench.ts [--quick | --rounds N] [--only NAME …] [--load PART_OF_A_TITLE …]
 *
 * nginx is Debian's with one worker for each processor, sendfile and tcp_nopush on, no access log; its file is on
 * tmpfs. The boot server has the same file in a memfd. Each server is in one network namespace, the load generator
 * (test/bench/load/http-load.c) in another, over a veth link. The generator checks status and length of every answer
 * and drops the bytes in the kernel without copying them; `busy` is the share of one processor that it took: below 1 its
 * single thread waited for data, so it is not what limits the servers.
 */
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readFamilyCpuSeconds } from '../support/process-stat.ts';
import { benchArguments } from './support/arguments.ts';
import { compare, median, type Contender } from './support/compare.ts';
import { compileC } from '../support/compile.ts';
import { startBootServer } from '../support/boot-server.ts';
import { createNamespacePair, SERVER_ADDRESS, type NamespacePair, type Started } from '../support/namespace-pair.ts';
import { atEnd } from '../support/at-end.ts';
import { leaveNothingBehind } from '../support/leave-nothing.ts';

const { rounds, takesPart, asksFor } = benchArguments();
const FILE_BYTES = 200 * 1024 * 1024;
const CLIENTS = [1, 8, 50];
/** They move 1.6 GB, and reach every thread and worker. */
const WARM_UP_CLIENTS = 8;
const OURS = 'ingot';
/** The boot server lets one address have 32 connections: each client has its own, as on a rack. */
const FIRST_CLIENT = '10.9.1.1';
const NGINX_PORT = 8081;
const OURS_PORT = 8080;

/** What http-load prints. */
interface LoadResult {
  readonly answers: number;
  readonly bad: number;
  readonly firstBad: string;
  readonly mbPerSecond: number;
  readonly busy: number;
}

const busy = new Map<string, number[]>();

async function load(pair: NamespacePair, port: number, path: string, clients: number): Promise<LoadResult> {
  const program = compileC(new URL('load/http-load.c', import.meta.url));
  // Few clients ask several times, so that each measurement moves at least 1.6 GB.
  const requests = Math.max(1, Math.ceil(8 / clients));
  const words = `--server ${SERVER_ADDRESS} --port ${port} --path ${path} --from ${FIRST_CLIENT} --connections ${clients} --requests ${requests} --bytes ${FILE_BYTES}`;
  const result: LoadResult = JSON.parse(await pair.run('client', [program, ...words.split(' ')]));
  if (result.bad > 0 || result.answers !== clients * requests)
    throw new Error(`${result.answers} of ${clients * requests} answers, ${result.bad} wrong: ${result.firstBad}`);
  return result;
}

function contender(
  pair: NamespacePair,
  name: string,
  clients: number,
  target: { readonly port: number; readonly path: string; readonly start: () => Promise<Started> },
  needs?: Contender['needs'],
): Contender {
  const { port, path, start } = target;
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    measure: async () => {
      await using server = await start();
      // The boot server loads the file at the first request, and starts its threads; all get the same warm-up.
      await load(pair, port, path, WARM_UP_CLIENTS).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${server.output()}`);
      });
      const before = readFamilyCpuSeconds(server.pid);
      const result = await load(pair, port, path, clients);
      const cpuMs = (readFamilyCpuSeconds(server.pid) - before) * 1000;
      busy.set(name, [...(busy.get(name) ?? []), result.busy]);
      return { value: result.mbPerSecond, cost: cpuMs / ((result.answers * FILE_BYTES) / 1e9) };
    },
  };
}

function nginxConfig(folder: string, root: string): string {
  return [
    'daemon off; worker_processes auto;',
    `pid ${folder}/nginx.pid; error_log stderr notice;`,
    'events { worker_connections 1024; }',
    'http {',
    `  access_log off; sendfile on; tcp_nopush on; client_body_temp_path ${folder}/body;`,
    `  proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;`,
    `  server { listen ${SERVER_ADDRESS}:${NGINX_PORT}; root ${root}; }`,
    '}',
  ].join('\n');
}

function writeRandomFile(path: string): void {
  const file = openSync(path, 'w', 0o644);
  for (let written = 0; written < FILE_BYTES; written += 1_048_576) writeSync(file, randomBytes(1_048_576));
  closeSync(file);
}

leaveNothingBehind();
await using pair = await createNamespacePair();
// All of these addresses are the client's.
await pair.run('client', ['ip', 'route', 'add', 'local', '10.9.1.0/24', 'dev', 'lo']);
const tmpfs = mkdtempSync('/dev/shm/ingot-bench-');
atEnd(() => rmSync(tmpfs, { recursive: true, force: true }));
try {
  // nginx's workers are another user.
  chmodSync(tmpfs, 0o755);
  writeRandomFile(join(tmpfs, 'initrd'));
  pair.file('nginx.conf', nginxConfig(pair.folder, tmpfs));
  const ours = (engine: string) => ({
    port: OURS_PORT,
    path: '/boot/initrd',
    start: () =>
      startBootServer(pair, {
        tftp: { root: tmpfs },
        http: { listen: `${SERVER_ADDRESS}:${OURS_PORT}`, engine },
      }),
  });
  const nginx = {
    port: NGINX_PORT,
    path: '/initrd',
    start: () =>
      pair.start('server', ['nginx', '-c', join(pair.folder, 'nginx.conf')], {
        ready: /start worker process \d/,
      }),
  };
  for (const clients of CLIENTS) {
    const title = `HTTP, 200 MB, ${clients} at once`;
    if (!asksFor(title)) continue;
    busy.clear();
    await compare({
      title,
      unit: 'MB/s',
      costUnit: 'ms of processor time for a GB',
      ours: OURS,
      rounds,
      contenders: [
        contender(pair, OURS, clients, ours('auto')),
        contender(pair, 'ingot without libc', clients, ours('node')),
        contender(pair, 'nginx', clients, nginx, { program: 'nginx', debianPackage: 'nginx-light' }),
      ].filter(({ name }) => name === OURS || takesPart(name)),
    });
    for (const [name, shares] of busy)
      console.log(`  ${name}: the load generator took ${Math.round(median(shares) * 100)} % of one processor`);
  }
} finally {
  rmSync(tmpfs, { recursive: true, force: true });
}
