export { DaemonError, DaemonErrorCode } from './errors.ts';
export { ExitCode } from './exit-code.ts';
export {
  defineConfig,
  type ConfigDefinition,
  type DaemonConfig,
  type DefineConfigOptions,
} from './config-definition.ts';
export { listenAddress, parseListenAddress, type ListenAddress } from './listen-address.ts';
export { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from './logger.ts';
export {
  createMetrics,
  type Counter,
  type Gauge,
  type GaugeOptions,
  type Histogram,
  type HistogramOptions,
  type Labels,
  type MetricOptions,
  type Metrics,
} from './metrics.ts';
export { createHealth, type CheckResult, type Health, type HealthOptions, type Readiness } from './health.ts';
export type { DaemonContext, DaemonOptions, RunningDaemon } from './daemon.ts';
export { loadConfig, type LoadConfigOptions, type LoadedConfig } from './config-load.ts';
export { secret } from './secret.ts';
export { readSecretFile } from './secret-file.ts';
export { createLogger, type LoggerOptions } from './pino-logger.ts';
export { MemoryLogger, type LogRecord } from './memory-logger.ts';
export { Redactor } from './redactor.ts';
export { startObservability, type Observability, type ObservabilityOptions } from './observability.ts';
export { createNotifier, type Notifier, type NotifierOptions } from './notifier.ts';
export { nodeProcess, type ProcessHost } from './process-host.ts';
export { becomeUser, Capability, type BecomeUserOptions } from './privileges.ts';
export type { Reloaded, ReloadResult } from './reload.ts';
export { runDaemon, type DaemonSurroundings } from './run-daemon.ts';
export { parseYamlDocument, type YamlDocument } from './yaml-document.ts';
export { pathText } from './config-problem.ts';
export { suggest } from './suggest.ts';
