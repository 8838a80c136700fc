/** Stable codes of `DaemonError`. */
export const DaemonErrorCode = {
  /** The configuration is wrong; the message lists every problem, one a line. */
  Config: 'DAEMON_CONFIG',
  /** A secret's file cannot be used. */
  SecretFile: 'DAEMON_SECRET_FILE',
  /** The metrics and health endpoint cannot listen. */
  Listen: 'DAEMON_LISTEN',
  /** The service manager cannot be told. */
  Notify: 'DAEMON_NOTIFY',
  /** It cannot go on as the user that it shall run as. */
  Privileges: 'DAEMON_PRIVILEGES',
} as const;
export type DaemonErrorCode = (typeof DaemonErrorCode)[keyof typeof DaemonErrorCode];

/** Every error this package makes: a stable code, and a message that says what to do. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly code: DaemonErrorCode;

  constructor(code: DaemonErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
