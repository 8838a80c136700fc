import { createHealth, createMetrics, MemoryLogger, Redactor, type Metrics } from '@ingot/daemon';
import { systemClock, systemEntropy } from '@ingot/net';
import { bmcAgentConfig } from '../src/config.ts';
import { runBmcAgent } from '../src/run.ts';

export interface Daemon extends AsyncDisposable {
  readonly log: MemoryLogger;
  readonly metrics: Metrics;
}

/** The worker as `ingot bmc` runs it. */
export async function startDaemon(settings: Readonly<Record<string, unknown>>): Promise<Daemon> {
  const parsed = bmcAgentConfig.parse(settings);
  if (!parsed.success) throw parsed.error;
  const stopping = new AbortController();
  const log = new MemoryLogger();
  const metrics = createMetrics();
  const daemon = await runBmcAgent({
    config: parsed.data,
    log,
    clock: systemClock,
    entropy: systemEntropy,
    metrics,
    health: createHealth({ clock: systemClock }),
    redactor: new Redactor(),
    signal: stopping.signal,
    status: () => {},
    reload: () => Promise.resolve({ ok: true, taken: [], needsRestart: [] }),
    fail: (error) => {
      throw error;
    },
  });
  return {
    log,
    metrics,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await daemon.stop();
    },
  };
}
