/** Failures of the agent, each with a stable code. The message says what to do. */
export const AgentErrorCode = {
  /** The kernel command line names no config, or names it wrongly. */
  NoConfigUrl: 'no-config-url',
  /** The boot server does not give this config (any more). */
  ConfigRefused: 'config-refused',
  /** The boot server could not be reached, or not give the config now. */
  ConfigUnavailable: 'config-unavailable',
  /** The boot server gave something that is no config. */
  ConfigInvalid: 'config-invalid',
  /** The board has no UUID, so that nothing can be registered. */
  NoUuid: 'no-uuid',
  /** A program of the image failed, took too long, or is missing. */
  CommandFailed: 'command-failed',
  /** The BMC is there, but cannot be read or set up. */
  BmcFailed: 'bmc-failed',
  /** A step did not end within its deadline and was left behind. */
  Hung: 'hung',
  /** Nothing was wiped: the request, the machine's standing or a disk's use forbids it. */
  WipeRefused: 'wipe-refused',
  /** A part of the agent was not heard of within the time that it had set itself. */
  Stalled: 'stalled',
  /** The machine was to restart, and did not. */
  RebootFailed: 'reboot-failed',
} as const;
export type AgentErrorCode = (typeof AgentErrorCode)[keyof typeof AgentErrorCode];

export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What went wrong, in one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\s+/g, ' ').trim();
}
