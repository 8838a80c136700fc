import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DatabaseConfig } from '../src/database-config.ts';
import { redisClient, type RedisConnection } from '../src/redis-client.ts';

/** A real Redis on a unix socket in a folder of its own, as SONiC's database container runs it. */
export interface TestRedis extends AsyncDisposable {
  readonly folder: string;
  readonly socketPath: string;
  readonly databases: DatabaseConfig;
  /** Runs commands against one database: `[['HSET', 'PORT|Ethernet0', 'alias', 'Eth1/1']]`. */
  run(databaseId: number, commands: ReadonlyArray<readonly string[]>): Promise<void>;
  start(): Promise<void>;
  /** Sends a signal to the server; SIGKILL also waits for its end. */
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
}

export const APPL_DB = 0;
export const ASIC_DB = 1;
export const COUNTERS_DB = 2;
export const CONFIG_DB = 4;
export const STATE_DB = 6;

/** SONiC's databases, all in the Redis behind one socket. */
export function databasesAt(unixSocketPath: string): DatabaseConfig {
  return {
    APPL_DB: { name: 'APPL_DB', id: APPL_DB, separator: ':', unixSocketPath },
    ASIC_DB: { name: 'ASIC_DB', id: ASIC_DB, separator: ':', unixSocketPath },
    COUNTERS_DB: { name: 'COUNTERS_DB', id: COUNTERS_DB, separator: ':', unixSocketPath },
    CONFIG_DB: { name: 'CONFIG_DB', id: CONFIG_DB, separator: '|', unixSocketPath },
    STATE_DB: { name: 'STATE_DB', id: STATE_DB, separator: '|', unixSocketPath },
  };
}

export type TestClient = RedisConnection;

/** A client of one database, which ends when the server does. */
export async function connectTo(unixSocketPath: string, database: number, password?: string): Promise<TestClient> {
  const client = redisClient({ unixSocketPath, database, password });
  await client.connect();
  return client;
}

export async function startRedis(options: { readonly password?: string } = {}): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-redis-'));
  const socketPath = join(folder, 'redis.sock');
  let server: ChildProcess | undefined;

  const ended = async (): Promise<void> => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  };

  const redis: TestRedis = {
    folder,
    socketPath,
    databases: databasesAt(socketPath),
    run: async (databaseId, commands) => {
      const client = await connectTo(socketPath, databaseId, options.password);
      for (const command of commands) await client.sendCommand([...command]);
      client.destroy();
    },
    start: async () => {
      const args = ['--port', '0', '--unixsocket', socketPath, '--save', '', '--appendonly', 'no', '--dir', folder];
      // SONiC's daemons follow CONFIG_DB by its keyspace events.
      args.push('--notify-keyspace-events', 'AKE');
      if (options.password !== undefined) args.push('--requirepass', options.password);
      server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      const lines = createInterface({ input: server.stdout ?? process.stdin });
      await new Promise<void>((resolve, reject) => {
        // The server says so in its log once it listens; asking is not needed.
        lines.on('line', (line) => {
          if (line.includes('eady to accept connections')) resolve();
        });
        server?.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
        server?.once('error', reject);
      });
    },
    signal: async (name) => {
      server?.kill(name);
      if (name === 'SIGKILL') await ended();
    },
    [Symbol.asyncDispose]: async () => {
      server?.kill('SIGKILL');
      await ended();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await redis.start();
  return redis;
}
