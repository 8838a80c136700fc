/** What surrounds the command, so that a test can stand in for a shell. */
export interface CliIo {
  /** For the answer, and nothing else: it may be piped on. */
  stdout(text: string): void;
  /** For everything that is said besides. */
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  /** The configuration that a running lab leaves behind. */
  readonly labConfigFile: string;
  /** Wall-clock time, milliseconds since the epoch. */
  now(): number;
}
