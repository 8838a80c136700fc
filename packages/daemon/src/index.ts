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
export type { CheckResult, Health, Readiness } from './health.ts';
export type { DaemonContext, DaemonOptions, RunningDaemon } from './daemon.ts';
