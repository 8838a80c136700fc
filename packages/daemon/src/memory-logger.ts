import type { LogFields, Logger, LogLevel } from './logger.ts';

/** One line that was logged. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly msg: string;
  /** The fields, with those of the `child` bindings. */
  readonly fields: LogFields;
}

/** A logger for tests: keeps its lines, those of its children too, in the order of logging. */
export class MemoryLogger implements Logger {
  readonly records: LogRecord[];
  readonly #bindings: LogFields;

  constructor(bindings: LogFields = {}, records: LogRecord[] = []) {
    this.#bindings = bindings;
    this.records = records;
  }

  debug(fields: LogFields, msg: string): void {
    this.#add('debug', fields, msg);
  }

  info(fields: LogFields, msg: string): void {
    this.#add('info', fields, msg);
  }

  warn(fields: LogFields, msg: string): void {
    this.#add('warn', fields, msg);
  }

  error(fields: LogFields, msg: string): void {
    this.#add('error', fields, msg);
  }

  child(bindings: LogFields): MemoryLogger {
    return new MemoryLogger({ ...this.#bindings, ...bindings }, this.records);
  }

  /** The lines whose `event` field is `event`. */
  events(event: string): readonly LogRecord[] {
    return this.records.filter(({ fields }) => fields['event'] === event);
  }

  #add(level: LogLevel, fields: LogFields, msg: string): void {
    this.records.push({ level, msg, fields: { ...this.#bindings, ...fields } });
  }
}
