import { reasonOf } from './errors.ts';

/** The part of a logger that is needed to say that something broke and that it works again. */
export interface ProblemLog {
  warn(bindings: object, message: string): void;
  info(bindings: object, message: string): void;
}

export interface ReportOptions {
  /** False for what a delivered heartbeat disproves, such as an API out of reach. Default true. */
  readonly tellApi?: boolean;
}

/** What is wrong at the moment, one problem a topic: said once when it starts or changes, and once when it ends. */
export interface Problems {
  report(topic: string, error: unknown, options?: ReportOptions): void;
  clear(topic: string): void;
  /** All of them, in the order in which they began. */
  all(): ReadonlyArray<{ readonly topic: string; readonly reason: string }>;
  /** For the heartbeat's `error`; undefined when all is well. */
  summary(): string | undefined;
}

// A heartbeat is no place for a novel: the API stores the last one of every switch.
const MAX_SUMMARY = 1024;

export function createProblems(log: ProblemLog): Problems {
  const current = new Map<string, { readonly reason: string; readonly tellApi: boolean }>();
  return {
    report: (topic, error, options = {}) => {
      const reason = reasonOf(error);
      if (current.get(topic)?.reason !== reason) log.warn({ topic, reason }, `${topic}: ${reason}`);
      current.set(topic, { reason, tellApi: options.tellApi ?? true });
    },
    clear: (topic) => {
      if (current.delete(topic)) log.info({ topic }, `${topic}: works again`);
    },
    all: () => [...current].map(([topic, { reason }]) => ({ topic, reason })),
    summary: () => {
      const told = [...current]
        .filter(([, problem]) => problem.tellApi)
        .map(([topic, problem]) => `${topic}: ${problem.reason}`);
      return told.length === 0 ? undefined : fitForApi(told.join('; '));
    },
  };
}

/** Reasons quote what others have written; half a surrogate pair or a NUL is no text for a database. */
function fitForApi(text: string): string {
  return text.slice(0, MAX_SUMMARY).toWellFormed().replaceAll('\0', '\u{fffd}');
}
