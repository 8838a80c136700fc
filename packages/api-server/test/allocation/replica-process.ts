import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** An API server in a process of its own: `ingot api-server`. */
export interface Replica extends AsyncDisposable {
  /** `unix:/path`. */
  readonly url: string;
  readonly ca: string;
  readonly adminToken: string;
  readonly isDead: boolean;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 90_000;
const MAX_OUTPUT = 64 * 1024;
const launcher = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));

/** Starts a server with its files in `directory`, again where it ran before, for the partition `lab`. Rejects with what it printed if it ends early. */
export async function startReplica(directory: string, database: string): Promise<Replica> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [config, socket] = [join(directory, 'config.yaml'), join(directory, 'api.sock')];
  const settings = {
    dataDir: join(directory, 'data'),
    database,
    listen: [`unix:${socket}`],
    partitions: [
      { id: 'lab', bootConfiguration: { kernelUrl: 'http://10.0.0.1/vmlinuz', imageUrl: 'http://10.0.0.1/initrd' } },
    ],
  };
  // JSON is YAML.
  await writeFile(config, JSON.stringify(settings));
  const child = spawn(process.execPath, [launcher, 'api-server', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let isDead = false;
  const kill = async (): Promise<void> => {
    isDead = true;
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  let output = '';
  const serving = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      if (output.length < MAX_OUTPUT) output += part.toString();
      if (output.includes('api.listening')) serving.resolve();
    });
  child.once('exit', () => serving.reject(new Error(`the API server has ended:\n${output}`)));
  const timer = setTimeout(
    () => serving.reject(new Error(`the API server does not serve:\n${output}`)),
    START_TIMEOUT_MS,
  );
  try {
    await serving.promise;
    return {
      url: `unix:${socket}`,
      ca: await readFile(join(directory, 'data', 'tls', 'ca.pem'), 'utf8'),
      adminToken: (await readFile(join(directory, 'data', 'admin.token'), 'utf8')).trim(),
      get isDead() {
        return isDead;
      },
      kill,
      [Symbol.asyncDispose]: kill,
    };
  } catch (error) {
    await kill();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
