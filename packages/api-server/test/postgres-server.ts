import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A PostgreSQL server of a test, on a unix socket in a directory of its own. */
export interface PostgresServer extends AsyncDisposable {
  /** Directory of data and socket. */
  readonly directory: string;
  /** Of its first process; 0 while it does not run. */
  readonly pid: number;
  /** URL of a database; makes none. */
  url(database: string): string;
  /** Makes a database, empty or a copy of one that nobody uses, and answers its URL. */
  createDatabase(template?: string): Promise<string>;
  /** Runs a statement as the superuser. */
  sql(statement: string): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  /** Stops it and all of its processes where they are, as a host does that hangs; ends with `resume`. */
  pause(): void;
  resume(): void;
}

// PostgreSQL does not run as root. Debian's `nobody`.
const UNPRIVILEGED = 65_534;
const START_TIMEOUT_MS = 90_000;

/** Starts a server of the newest PostgreSQL that is installed; `settings` are those of postgresql.conf. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const bin = globSync('/usr/lib/postgresql/*/bin').toSorted().at(-1);
  if (bin === undefined || !existsSync(join(bin, 'initdb'))) {
    throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  }
  const root = process.getuid?.() === 0;
  // It ends with this process, however that ends: QUIT is PostgreSQL's immediate shutdown.
  const drop = ['setpriv', `--reuid=${UNPRIVILEGED}`, `--regid=${UNPRIVILEGED}`, '--clear-groups'];
  const command = (program: string, ...argv: string[]): [string, string[]] => {
    const [first = '', ...rest] = [...(root ? drop : ['setpriv']), '--pdeathsig=QUIT', join(bin, program), ...argv];
    return [first, rest];
  };
  const directory = await mkdtemp(join(tmpdir(), 'ingot-pg-'));
  const data = join(directory, 'data');
  const port = settings['port'] ?? '5432';
  let server: ChildProcess | undefined;
  let databases = 0;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    await exited;
  };
  const start = async (): Promise<void> => {
    const given = Object.entries({ fsync: 'on', ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [program, argv] = command('postgres', '-D', data, '-k', directory, '-c', 'listen_addresses=', ...given);
    const child = spawn(program, argv, { stdio: ['ignore', 'ignore', 'pipe'], cwd: directory });
    server = child;
    const lines: string[] = [];
    const timer = setTimeout(() => child.kill('SIGQUIT'), START_TIMEOUT_MS);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (lines.length < 50) lines.push(line);
        if (line.includes('database system is ready to accept connections')) resolve();
      });
      child.once('exit', () => reject(new Error(`PostgreSQL has ended:\n${lines.join('\n')}`)));
      child.once('error', reject);
    }).finally(() => clearTimeout(timer));
  };
  /** Its own first: it starts no others then. */
  const signalAll = (signal: NodeJS.Signals): void => {
    const pid = server?.pid;
    if (pid === undefined) return;
    process.kill(pid, signal);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    for (const child of children) if (child !== '') process.kill(Number(child), signal);
  };
  const one: PostgresServer = {
    directory,
    get pid() {
      return server?.pid ?? 0;
    },
    url: (database) => `postgres://localhost:${port}/${database}?host=${directory}&user=ingot`,
    async sql(statement) {
      await run(join(bin, 'psql'), [
        '-X',
        '-q',
        '-h',
        directory,
        '-p',
        port,
        '-U',
        'ingot',
        '-d',
        'postgres',
        '-c',
        statement,
      ]);
    },
    async createDatabase(template = 'template1') {
      const name = `test${(databases += 1)}`;
      await one.sql(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      return one.url(name);
    },
    kill: () => end('SIGQUIT'),
    start,
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    async [Symbol.asyncDispose]() {
      // What is stopped ends when it goes on.
      signalAll('SIGCONT');
      await end('SIGQUIT');
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await chmod(directory, 0o755);
    if (root) await chown(directory, UNPRIVILEGED, UNPRIVILEGED);
    const [program, argv] = command(
      'initdb',
      '-D',
      data,
      '-U',
      'ingot',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    );
    await run(program, argv, { cwd: directory });
    await start();
    return one;
  } catch (error) {
    await one[Symbol.asyncDispose]();
    throw error;
  }
}
