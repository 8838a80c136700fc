import { systemClock, systemEntropy, type Clock, type Entropy } from '@ingot/net';
import type { DestinationStream } from 'pino';
import type { DaemonConfig } from './config-definition.ts';
import { loadConfig } from './config-load.ts';
import type { DaemonContext, DaemonOptions, RunningDaemon } from './daemon.ts';
import { DaemonError, DaemonErrorCode } from './errors.ts';
import { ExitCode } from './exit-code.ts';
import { createHealth, type Health } from './health.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createNotifier, type Notifier } from './notifier.ts';
import { startObservability, type Observability } from './observability.ts';
import { createLogger } from './pino-logger.ts';
import { nodeProcess, type ProcessHost } from './process-host.ts';
import { Redactor } from './redactor.ts';
import { createReloader } from './reload.ts';

/** What surrounds a daemon; everything defaults to the real thing. */
export interface DaemonSurroundings {
  readonly host?: ProcessHost;
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  /** Where the log goes. Default: standard output. */
  readonly logOutput?: DestinationStream;
}

const DEFAULT_STOP_TIMEOUT_MS = 10_000;
const STARTED_CHECK = 'started';

/** Why a daemon ends, and with what code. */
interface Ending {
  readonly code: ExitCode;
  readonly reason: string;
}

/**
 * Runs a daemon from its arguments to its exit: configuration, log, metrics and health, service manager, signals.
 * The first SIGTERM or SIGINT stops it cleanly, within a deadline; the second ends it at once. Exit codes: `ExitCode`.
 */
export async function runDaemon<Config extends DaemonConfig>(
  options: DaemonOptions<Config>,
  surroundings: DaemonSurroundings = {},
): Promise<void> {
  const host = surroundings.host ?? nodeProcess();
  host.exit(await run(options, host, surroundings));
}

async function run<Config extends DaemonConfig>(
  options: DaemonOptions<Config>,
  host: ProcessHost,
  surroundings: DaemonSurroundings,
): Promise<ExitCode> {
  const { clock = systemClock, entropy = systemEntropy, logOutput } = surroundings;
  const part = options.name ?? options.config.name;
  const argv = options.argv ?? host.argv;
  const loaded = await loadConfig(options.config, { argv, env: host.env });
  if (loaded.kind === 'help' || loaded.kind === 'print') {
    host.stdout(loaded.text);
    return ExitCode.Ok;
  }
  if (loaded.kind === 'error') {
    host.stderr(`${loaded.error.message}\n`);
    return loaded.exitCode;
  }
  const { config } = loaded;
  const redactor = new Redactor(loaded.secrets);
  const log = createLogger({
    part,
    level: config.logLevel,
    clock,
    redactor,
    ...(logOutput === undefined ? {} : { output: logOutput }),
  });
  for (const warning of loaded.warnings) log.warn({ event: 'config.warning' }, warning);
  const notifier = createNotifier({
    env: host.env,
    pid: host.pid,
    clock,
    onError: (error) => log.warn({ err: error }, error.message),
  });
  const health = createHealth({ clock });
  const metrics = createMetrics({ processMetrics: true });
  const tell = (said: Promise<void>): Promise<void> =>
    said.catch((error: unknown) => log.warn({ err: error }, words(error)));

  const ending = Promise.withResolvers<Ending>();
  const releaseSignals = watchSignals(host, log, ending.resolve);
  const releaseFaults = host.onFault((error) => {
    log.error({ event: 'daemon.fault', err: error }, `a bug: ${words(error)}`);
    host.stderr(`ingot ${part}: a bug: ${redactor.text(words(error))}; the log has the details\n`);
    host.exit(ExitCode.Fault);
  });
  const stopping = new AbortController();
  const life: Life<Config> = {
    log,
    health,
    metrics,
    notifier,
    clock,
    host,
    stopping,
    ending: ending.promise,
    tell,
    running: undefined,
  };
  const context: DaemonContext<Config> = {
    config,
    log,
    clock,
    entropy,
    metrics,
    health,
    redactor,
    signal: stopping.signal,
    status: (text) => void tell(notifier.status(redactor.text(text))),
    fail: (error) => {
      log.error({ event: 'daemon.failed', err: error }, error.message);
      host.stderr(`ingot ${part}: ${redactor.text(error.message)}\n`);
      const isConfig = error instanceof DaemonError && error.code === DaemonErrorCode.Config;
      ending.resolve({ code: isConfig ? ExitCode.Config : ExitCode.Unavailable, reason: error.message });
    },
    reload: createReloader({
      definition: options.config,
      argv,
      env: host.env,
      config,
      log,
      redactor,
      notifier,
      tell,
      running: () => life.running,
    }),
  };
  try {
    return await live(options, context, life);
  } finally {
    notifier.close();
    releaseSignals();
    releaseFaults();
  }
}

/** What the stages of a daemon's life share. */
interface Life<Config> {
  readonly log: Logger;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly host: ProcessHost;
  readonly stopping: AbortController;
  readonly ending: Promise<Ending>;
  readonly tell: (said: Promise<void>) => Promise<void>;
  /** From ready to stopping. */
  running: RunningDaemon<Config> | undefined;
}

async function live<Config extends DaemonConfig>(
  options: DaemonOptions<Config>,
  context: DaemonContext<Config>,
  life: Life<Config>,
): Promise<ExitCode> {
  const { log, health, notifier, stopping, tell } = life;
  health.set(STARTED_CHECK, { ok: false, reason: 'still starting' });
  let observability: Observability | undefined;
  // Settles to undefined when the start failed, having said why.
  const started = (async (): Promise<RunningDaemon<Config> | undefined> => {
    try {
      observability = await observe(context, life);
      return await options.start(context);
    } catch (error) {
      if (!stopping.signal.aborted) context.fail(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  })();
  const early = await Promise.race([started.then(() => undefined), life.ending]);
  let releaseReload: (() => void) | undefined;
  if (early === undefined && (await started) !== undefined) {
    life.running = await started;
    // A daemon that cannot reload keeps what the signal means otherwise: its terminal has closed.
    if (life.running?.reload !== undefined) releaseReload = life.host.onReload(() => void context.reload());
    health.set(STARTED_CHECK, { ok: true });
    await tell(notifier.ready());
    log.info({ event: 'daemon.ready' }, 'ready');
  }
  const { code, reason } = await life.ending;
  life.running = undefined;
  health.set(STARTED_CHECK, { ok: false, reason: 'stopping' });
  log.info({ event: 'daemon.stopping', reason }, `stopping: ${reason}`);
  await tell(notifier.stopping());
  stopping.abort(new Error(`stopping: ${reason}`));

  const clean = await stopWithin(options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS, life, async () => {
    await (await started)?.stop();
    await observability?.stop();
  });
  releaseReload?.();
  if (clean) log.info({ event: 'daemon.stopped' }, 'stopped');
  return clean ? code : ExitCode.StopFailed;
}

async function observe<Config extends DaemonConfig>(
  { config, log, metrics, health }: DaemonContext<Config>,
  { clock }: Life<Config>,
): Promise<Observability | undefined> {
  if (config.metrics === undefined) return undefined;
  const startedAt = clock.now();
  metrics.gauge({
    name: 'ingot_daemon_uptime_seconds',
    help: 'Seconds since the daemon was started.',
    collect: (gauge) => gauge.set({}, (clock.now() - startedAt) / 1000),
  });
  const observability = await startObservability({
    listen: config.metrics,
    metrics,
    health,
    onError: (error) => log.warn({ err: error }, `metrics: ${error.message}`),
  });
  log.info({ event: 'daemon.metrics', listen: observability.address }, 'serving /metrics, /healthz and /readyz');
  return observability;
}

async function stopWithin(
  timeoutMs: number,
  { clock, log }: Pick<Life<unknown>, 'clock' | 'log'>,
  stop: () => Promise<void>,
): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = clock.setTimeout(() => {
    log.error({ event: 'daemon.stop-timeout', timeoutMs }, `did not stop within ${timeoutMs} ms: exiting all the same`);
    late.resolve(false);
  }, timeoutMs);
  try {
    return await Promise.race([stop().then(() => true), late.promise]);
  } catch (error) {
    log.error({ event: 'daemon.stop-failed', err: error }, `cannot stop cleanly: ${words(error)}`);
    return false;
  } finally {
    timer.cancel();
  }
}

function watchSignals(host: ProcessHost, log: Logger, end: (ending: Ending) => void): () => void {
  let signals = 0;
  return host.onSignal((signal) => {
    signals += 1;
    if (signals === 1) {
      end({ code: ExitCode.Ok, reason: signal });
      return;
    }
    log.warn({ event: 'daemon.killed' }, `${signal} again: exiting without a clean stop`);
    host.exit(ExitCode.StopFailed);
  });
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
