import {
  apiV2,
  createClient,
  durationFromMs,
  infraV2,
  methodPath,
  type Channel,
  type MessageInitShape,
} from '@ingot/api';
import type { Connection } from './grpc-calls.ts';
import { openConnection } from './grpc-calls.ts';
import type { Hall } from './hall.ts';
import type { Latencies } from './latencies.ts';
import type { ServerProcess } from './server.ts';

/** What the phases of the load share. */
export interface Rig {
  readonly hall: Hall;
  readonly server: ServerProcess;
  /** For what is not measured. */
  readonly admin: Channel;
  /** One of those that several simulated machines share. */
  shared(index: number): Connection;
  /** That of a switch, or of a machine that waits, which nobody shares. */
  open(): Promise<Connection>;
  /** Bytes of each request that writes something, since the last time that this was asked. */
  takeWritten(): number[];
}

const READS: ReadonlySet<string> = new Set([
  methodPath(infraV2.BootService.method.boot),
  methodPath(infraV2.SwitchService.method.get),
]);

/** Mints a token; not measured. */
export async function mint(
  admin: Channel,
  rights: Pick<
    MessageInitShape<typeof apiV2.TokenServiceCreateRequestSchema>,
    'infraRole' | 'machineRoles' | 'projectRoles'
  >,
): Promise<string> {
  const tokens = createClient(apiV2.TokenService, admin);
  const { secret } = await tokens.create({ description: 'load', expires: durationFromMs(3_600_000), ...rights });
  return secret;
}

/** Runs `work` on each item, so many at once, and in order. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const item = items[index];
      if (item === undefined) return;
      await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Calls and notes how long it took from when it was due; undefined when it failed, which is noted too. */
export async function timed<T>(
  latencies: Latencies,
  kind: string,
  call: () => Promise<T>,
  dueAt: number = performance.now(),
): Promise<T | undefined> {
  try {
    const answer = await call();
    latencies.add(kind, performance.now() - dueAt);
    return answer;
  } catch (error) {
    latencies.fail(kind, error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

export async function openRig(
  hall: Hall,
  server: ServerProcess,
  admin: Channel,
  shared: number,
): Promise<Rig & Disposable> {
  const opened: Connection[] = [];
  let written: number[] = [];
  const open = async (): Promise<Connection> => {
    const connection = await openConnection(server.url, server.ca);
    opened.push(connection);
    return {
      ...connection,
      call(path, token, message) {
        if (!READS.has(path)) written.push(message.length);
        return connection.call(path, token, message);
      },
    };
  };
  const connections = await Promise.all(Array.from({ length: shared }, open));
  return {
    hall,
    server,
    admin,
    open,
    takeWritten() {
      const taken = written;
      written = [];
      return taken;
    },
    shared(index) {
      const connection = connections[index % connections.length];
      if (connection === undefined) throw new RangeError('there is no shared connection');
      return connection;
    },
    [Symbol.dispose]() {
      for (const connection of opened) connection[Symbol.dispose]();
    },
  };
}
