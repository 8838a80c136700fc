import type { Clock } from '@ingot/net';
import { destination, pino, type DestinationStream, type Logger as Pino } from 'pino';
import { REDACTED } from './config-print.ts';
import type { LogFields, Logger, LogLevel } from './logger.ts';
import type { Redactor } from './redactor.ts';

export interface LoggerOptions {
  /** The daemon's name, on every line. */
  readonly part: string;
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Takes whole lines. Default: standard output, the lines of one turn of the event loop together. */
  readonly output?: DestinationStream;
}

const MAX_DEPTH = 8;

/** A logger that writes JSON lines: `level`, `time` (ISO 8601, UTC), `part`, the fields, `msg`. */
export function createLogger(options: LoggerOptions): Logger {
  const { part, level, clock, redactor } = options;
  const output = options.output ?? standardOutput();
  const clean = (fields: LogFields): Record<string, unknown> => cleanFields(fields, redactor);
  const logger = pino(
    {
      level,
      base: { part },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      // Errors arrive here as plain data already.
      serializers: { err: (err: unknown) => err },
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => output.write(redactor.text(line)) },
  );
  return adapt(logger, clean);
}

function adapt(logger: Pino, clean: (fields: LogFields) => Record<string, unknown>): Logger {
  return {
    debug: (fields, msg) => {
      if (logger.isLevelEnabled('debug')) logger.debug(clean(fields), msg);
    },
    info: (fields, msg) => logger.info(clean(fields), msg),
    warn: (fields, msg) => logger.warn(clean(fields), msg),
    error: (fields, msg) => logger.error(clean(fields), msg),
    child: (bindings) => adapt(logger.child(clean(bindings)), clean),
  };
}

/** What is kept for one write, in characters. */
const MAX_KEPT = 65_536;

/** One system call for the lines of a turn: a thousand machines that power on write thousands of lines. */
function standardOutput(): DestinationStream {
  const stream = destination({ fd: 1, sync: true });
  // A reader that went away must not take the daemon with it.
  stream.on('error', () => undefined);
  let kept = '';
  const flush = (): void => {
    if (kept === '') return;
    const lines = kept;
    kept = '';
    stream.write(lines);
  };
  // Also after an uncaught exception.
  process.on('exit', flush);
  return {
    write: (line) => {
      if (kept === '') setImmediate(flush);
      kept += line;
      if (kept.length > MAX_KEPT) flush();
    },
  };
}

/** Plain data that JSON can say, without secrets. */
function cleanFields(fields: LogFields, redactor: Redactor): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      redactor.isSecretKey(key) ? REDACTED : cleanValue(value, redactor, 1),
    ]),
  );
}

function cleanValue(value: unknown, redactor: Redactor, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[too deep]';
  if (value instanceof Error) return cleanError(value, redactor, depth);
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, redactor, depth + 1));
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      redactor.isSecretKey(key) ? REDACTED : cleanValue(item, redactor, depth + 1),
    ]),
  );
}

function cleanError(error: Error, redactor: Redactor, depth: number): unknown {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: cleanValue(error.cause, redactor, depth + 1) }),
  };
}
