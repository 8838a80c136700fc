import type { Clock, Entropy } from '@ingot/net';
import type { ConfigDefinition, DaemonConfig } from './config-definition.ts';
import type { Health } from './health.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Redactor } from './redactor.ts';
import type { Reloaded, ReloadResult } from './reload.ts';

/** What a daemon is given at its start. */
export interface DaemonContext<Config> {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Told of secrets that were read later (`readSecretFile`), it keeps them out of the log. */
  readonly redactor: Redactor;
  /** Aborted when the daemon has to stop, before `stop` is called. */
  readonly signal: AbortSignal;
  /** One line on what it is doing, for `systemctl status`. */
  readonly status: (text: string) => void;
  /**
   * Reports a failure that it cannot go on from: it is stopped, and the process exits with 69; with 78 for a DaemonError
   * CONFIG, where starting again does not help.
   */
  readonly fail: (error: Error) => void;
  /** Reads the configuration again, as SIGHUP does. */
  readonly reload: () => Promise<ReloadResult>;
}

/** A daemon that runs. */
export interface RunningDaemon<Config = never> {
  /**
   * Goes on with another configuration. Rejects, with all as it was, when it cannot. Without it, SIGHUP is refused in
   * the log.
   */
  reload?(config: Config): Promise<Reloaded>;
  /** Stops accepting, finishes or aborts what is going on, and frees everything. Called once. */
  stop(): Promise<void>;
}

/** What `runDaemon` runs. */
export interface DaemonOptions<Config extends DaemonConfig> {
  /** The `part` of its log lines. Default: the name of the configuration. */
  readonly name?: string;
  readonly config: ConfigDefinition<Config>;
  /** Resolves once it serves; rejects when it cannot, with a message that says what to do. */
  readonly start: (context: DaemonContext<Config>) => Promise<RunningDaemon<Config>>;
  /** Arguments after the part's name. Default: those of the process. */
  readonly argv?: readonly string[];
  /** How long a clean stop may take, milliseconds. Default 10 000. */
  readonly stopTimeoutMs?: number;
}
