/** Levels, least to most grave. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Structured fields of a line. An `Error` under `err` is written as type, message, code, stack and cause. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a component says what happens; always passed in, with its scope already bound. */
export interface Logger {
  debug(fields: LogFields, msg: string): void;
  info(fields: LogFields, msg: string): void;
  warn(fields: LogFields, msg: string): void;
  error(fields: LogFields, msg: string): void;
  /** A logger that adds `bindings` to each of its lines. */
  child(bindings: LogFields): Logger;
}
