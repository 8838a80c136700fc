/** A line of the agent's log, for whoever keeps it outside of this machine. */
export interface LogLine {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly level: 'info' | 'error';
  readonly phase: string;
  /** What the console shows; control characters are out of it. */
  readonly words: string;
}

/** Takes a line. Must neither wait nor throw: nobody's work stops for the log. */
export type LogSink = (line: LogLine) => void;
