/** Exit codes of every daemon; 64 and up as in sysexits.h. */
export const ExitCode = {
  /** Stopped as asked. */
  Ok: 0,
  /** A bug: an uncaught exception or an unhandled rejection. */
  Fault: 1,
  /** Unknown flag or argument (EX_USAGE). */
  Usage: 64,
  /** Could not start or go on: a port in use, an unwritable directory (EX_UNAVAILABLE). */
  Unavailable: 69,
  /** Asked to stop, and did not within the deadline (EX_SOFTWARE). */
  StopFailed: 70,
  /** The configuration is wrong: starting again will not help (EX_CONFIG). */
  Config: 78,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
