import type { LogFields, Logger, LogLevel } from '@ingot/daemon';

/** A logger whose lines say why an answer is as it is. */
export interface CollectingLogger extends Logger {
  /** The lines since the last call. */
  take(): string[];
}

export function collectingLogger(): CollectingLogger {
  let lines: string[] = [];
  const add =
    (level: LogLevel) =>
    (fields: LogFields, msg: string): void => {
      const { err } = fields;
      const cause = err instanceof Error && !msg.includes(err.message) ? `: ${err.message}` : '';
      lines.push(level === 'warn' || level === 'error' ? `${level}: ${msg}${cause}` : `${msg}${cause}`);
    };
  const logger: CollectingLogger = {
    debug: add('debug'),
    info: add('info'),
    warn: add('warn'),
    error: add('error'),
    child: () => logger,
    take: () => {
      const taken = lines;
      lines = [];
      return taken;
    },
  };
  return logger;
}
