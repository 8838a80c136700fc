import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PARTITION } from './hall.ts';

/** `ingot api-server` as a process of its own, with its data in a directory of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  readonly ca: string;
  readonly adminToken: string;
  readonly tlsDirectory: string;
  /** Ends it as systemd does; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Exists. */
  readonly directory: string;
  /** As in the configuration; default SQLite. */
  readonly database?: string;
  /** Writes a processor profile of the whole run there. */
  readonly profileDirectory?: string;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;
const MAX_OUTPUT = 64 * 1024;
const launcher = fileURLToPath(new URL('../../../bin/ingot', import.meta.url));

/** Resolves when it serves. Rejects with what it printed if it ends early. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { directory, database, profileDirectory } = options;
  const dataDir = join(directory, 'data');
  await mkdir(dataDir, { mode: 0o700 });
  const config = join(directory, 'api-server.yaml');
  const port = await freePort();
  const settings = {
    dataDir,
    ...(database === undefined ? {} : { database }),
    listen: [`127.0.0.1:${port}`],
    // One tenant asks for a thousand machines at once.
    callsPerMinute: { token: 100_000 },
    partitions: [
      {
        id: PARTITION,
        bootConfiguration: { kernelUrl: 'http://10.0.0.1/vmlinuz', imageUrl: 'http://10.0.0.1/initrd' },
        dnsServers: ['10.0.0.1'],
        ntpServers: ['ntp.lab'],
      },
    ],
  };
  // JSON is YAML.
  await writeFile(config, JSON.stringify(settings));
  const profile =
    profileDirectory === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDirectory}` };
  const child = spawn(launcher, ['api-server', '--config', config], {
    env: { ...process.env, ...profile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  const serving = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      output = (output + part.toString()).slice(-MAX_OUTPUT);
      if (output.includes('api.listening')) serving.resolve();
    });
  child.once('exit', () => serving.reject(new Error(`the API server has ended:\n${output}`)));
  const timer = setTimeout(
    () => serving.reject(new Error(`the API server does not serve:\n${output}`)),
    START_TIMEOUT_MS,
  );
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(patience);
  };
  try {
    await serving.promise;
    return {
      pid: child.pid ?? 0,
      url: `https://127.0.0.1:${port}`,
      ca: await readFile(join(dataDir, 'tls', 'ca.pem'), 'utf8'),
      tlsDirectory: join(dataDir, 'tls'),
      adminToken: (await readFile(join(dataDir, 'admin.token'), 'utf8')).trim(),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
