import type { ConfigDefinition, DaemonConfig } from './config-definition.ts';
import { loadConfig } from './config-load.ts';
import type { RunningDaemon } from './daemon.ts';
import type { Logger } from './logger.ts';
import type { Notifier } from './notifier.ts';
import type { Redactor } from './redactor.ts';

/** The settings that another configuration changes, by their paths, as `dhcp.subnets`. */
export interface Reloaded {
  /** Those that count from now on. */
  readonly taken: readonly string[];
  /** Those that count only after a restart. */
  readonly needsRestart: readonly string[];
}

/** What came of reading the configuration again. */
export type ReloadResult =
  | ({ readonly ok: true } & Reloaded)
  /** The old configuration goes on; `reason` has a line for each problem, with file and line number. */
  | { readonly ok: false; readonly reason: string };

export interface ReloaderComponents<Config extends DaemonConfig> {
  readonly definition: ConfigDefinition<Config>;
  /** Those of the start: flags and environment still win over the file. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: Config;
  readonly log: Logger;
  readonly redactor: Redactor;
  readonly notifier: Notifier;
  readonly tell: (said: Promise<void>) => Promise<void>;
  /** The daemon once it runs; undefined before that, and when it could not start. */
  readonly running: () => RunningDaemon<Config> | undefined;
}

/** Of every daemon, and used up at the start. */
const FIXED = ['metrics', 'logLevel'] as const;

/**
 * Reads the configuration again, as a whole: what is wrong with it is said in the log, and the old one goes on. One
 * reload at a time; one that is asked for meanwhile follows it.
 */
export function createReloader<Config extends DaemonConfig>(
  components: ReloaderComponents<Config>,
): () => Promise<ReloadResult> {
  const { log, notifier, tell } = components;
  let last: Promise<unknown> = Promise.resolve();
  const attempt = async (): Promise<ReloadResult> => {
    await tell(notifier.reloading());
    const result = await reload(components);
    await tell(notifier.ready());
    if (!result.ok) {
      log.error(
        { event: 'daemon.reload-refused', reason: result.reason },
        `the configuration is not taken, and the old one goes on: ${result.reason}`,
      );
    } else if (result.needsRestart.length > 0) {
      const settings = result.needsRestart.join(', ');
      log.warn(
        { event: 'daemon.reloaded', taken: result.taken, needsRestart: result.needsRestart },
        `the configuration was read again; these count only after a restart: ${settings}`,
      );
    } else log.info({ event: 'daemon.reloaded', taken: result.taken }, 'the configuration was read again');
    return result;
  };
  return () => {
    const next = last.then(attempt);
    last = next;
    return next;
  };
}

async function reload<Config extends DaemonConfig>({
  definition,
  argv,
  env,
  config,
  redactor,
  running,
}: ReloaderComponents<Config>): Promise<ReloadResult> {
  const daemon = running();
  if (daemon?.reload === undefined) return { ok: false, reason: 'it reads its configuration at the start only' };
  const loaded = await loadConfig(definition, { argv, env });
  if (loaded.kind === 'error') return { ok: false, reason: loaded.error.message };
  if (loaded.kind !== 'config') return { ok: false, reason: 'the flags ask for something else' };
  for (const secret of loaded.secrets) redactor.add(secret);
  const fixed = FIXED.filter((name) => loaded.config[name] !== config[name]);
  try {
    const { taken, needsRestart } = await daemon.reload(loaded.config);
    return { ok: true, taken, needsRestart: [...needsRestart, ...fixed] };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
