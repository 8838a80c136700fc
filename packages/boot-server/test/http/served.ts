import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { createMetrics, MemoryLogger, type Metrics } from '@ingot/daemon';
import { loadLibc, systemClock } from '@ingot/net';
import { contentMemory, type ContentMemory } from '../../src/artifacts/content.ts';
import { localFiles } from '../../src/artifacts/local-file.ts';
import { createArtifactStore, type ArtifactStore } from '../../src/artifacts/store.ts';
import { startBodySender, type HttpEngine } from '../../src/http/body/body-sender.ts';
import type { BodyLimits, BodySender } from '../../src/http/body/sender.ts';
import type { ThreadData } from '../../src/http/body/sendfile-messages.ts';
import type { HttpLimits } from '../../src/http/limits.ts';
import { startHttpServer, type HttpServer } from '../../src/http/server.ts';
import type { TlsFiles } from '../../src/http/tls.ts';
import { bootMetrics } from '../../src/metrics.ts';
import { dropsOf } from '../support/drops.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unusedRoutes } from './parts.ts';

const LIBC = await loadLibc();
export const ENGINES: readonly HttpEngine[] = LIBC === undefined ? ['node'] : ['native', 'node'];
/** More than socket buffers hold: a client that stops reading stops the server's writing. */
export const BIG = 12_000_000;
export const big: Buffer = Buffer.alloc(BIG);
for (let at = 0; at < BIG; at += 4) big.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
export const BIG_SHA256: string = createHash('sha256').update(big).digest('hex');

export interface Served {
  readonly server: HttpServer;
  readonly port: number;
  readonly log: MemoryLogger;
  readonly metrics: Metrics;
  readonly artifacts: ArtifactStore;
  readonly bodies: BodySender;
  readonly drops: (reason: string) => Promise<number>;
  /** How often a part of a file went through Node. */
  readonly reads: () => number;
}

interface ServeOptions extends Partial<BodyLimits> {
  readonly drainMs?: number;
  readonly limits?: Partial<HttpLimits>;
  readonly listen?: readonly string[];
  readonly tls?: TlsFiles;
  /** Every file is looked for until then. */
  readonly until?: Promise<void>;
  readonly startThread?: (data: ThreadData) => Worker;
}

function countReads(memory: ContentMemory, count: () => void): ContentMemory {
  return {
    create: (sizeBytes) => {
      const writer = memory.create(sizeBytes);
      return {
        get sizeBytes() {
          return writer.sizeBytes;
        },
        write: (chunk) => writer.write(chunk),
        discard: () => writer.discard(),
        finish: () => {
          const content = writer.finish();
          const read = (position: number, length: number): Uint8Array => {
            count();
            return content.read(position, length);
          };
          return { ...content, read };
        },
      };
    },
  };
}

/** Time is real here: the thread's clock is the kernel's. */
export async function serve(engine: HttpEngine, options: ServeOptions = {}): Promise<Served> {
  const root = temporaryFolder();
  writeFileSync(join(root, 'big'), big);
  writeFileSync(join(root, 'small'), 'small');
  writeFileSync(join(root, 'empty'), '');
  const log = new MemoryLogger();
  const metrics = createMetrics();
  const counted = bootMetrics(metrics);
  let reads = 0;
  const { idleTimeoutMs = 30_000, maxBytesPerSecondPerClient, drainMs = 5_000, listen = ['127.0.0.1'] } = options;
  const artifacts = createArtifactStore({
    clock: systemClock,
    log,
    files: localFiles([root]),
    fetchRemote: () => Promise.reject(new Error('no network here')),
    memory: countReads(contentMemory(engine === 'node' ? undefined : LIBC), () => {
      reads += 1;
    }),
    maxBytes: 2 * BIG,
    signal: new AbortController().signal,
  });
  const bodies = startBodySender({
    clock: systemClock,
    log,
    libc: LIBC,
    engine,
    limits: { idleTimeoutMs, maxBytesPerSecondPerClient },
    ...(options.startThread === undefined ? {} : { startThread: options.startThread }),
  });
  const server = await startHttpServer(
    {
      ...unusedRoutes(log, counted),
      clock: systemClock,
      log,
      metrics: counted,
      bodies,
      limits: { idleTimeoutMs, drainMs, ...options.limits },
      files: {
        ...unusedRoutes(log, counted).files,
        clock: systemClock,
        artifacts,
        published: {
          open: async (name) => {
            await options.until;
            return { kind: 'file', uri: pathToFileURL(join(root, name)).href, sha256: undefined };
          },
        },
      },
    },
    listen.map((address) => ({ address, port: 0, tls: options.tls })),
  );
  onTestFinished(async () => {
    await server.stop();
    artifacts.close();
  });
  return {
    server,
    port: server.ports[0] ?? 0,
    log,
    metrics,
    artifacts,
    bodies,
    reads: () => reads,
    drops: (reason) => dropsOf(metrics, 'http', reason),
  };
}
