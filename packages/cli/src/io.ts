import type { Clock } from '@ingot/net';

/** What surrounds the command, so that a test can stand in for a shell. */
export interface CliIo {
  /** For the answer, and nothing else: it may be piped on. */
  stdout(text: string): void;
  /** For everything that is said besides. */
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What is piped into it; without it, nothing. */
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  /** The user's home directory. */
  readonly home: string;
  /** The configuration that a running lab leaves behind. */
  readonly labConfigFile: string;
  /** Wall-clock time, milliseconds since the epoch. */
  now(): number;
  /** Standard output, when it is a terminal: for colours, and for drawing over what was there. */
  readonly screen?: CliScreen;
  /** Standard error, when it is a terminal: for a display of progress. */
  readonly progress?: NodeJS.WriteStream;
  /** For commands that wait; the system's by default. */
  readonly clock?: Clock;
  /** Has `stop` called at Ctrl-C and the like, until disposed; without it, Ctrl-C ends the process. */
  readonly onInterrupt?: (stop: () => void) => Disposable;
  /** Has `stop` called when nobody reads standard output any more, until disposed. */
  readonly onReaderGone?: (stop: () => void) => Disposable;
}

/** A terminal as it is: what is drawn has to be clean. */
export interface CliScreen {
  draw(text: string): void;
  /** Lines that can be seen at once. */
  rows(): number;
}
