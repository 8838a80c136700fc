import { ApiError, Code } from '@ingot/api';

/** How the command ends. */
export const CliExit = {
  Ok: 0,
  /** It failed, for a reason without a number of its own. */
  Failed: 1,
  /** The command line is wrong. */
  Usage: 2,
  /** There is no such thing. */
  NotFound: 3,
  /** The token is not accepted, or does not allow this. */
  Denied: 4,
  /** The API server, or the boot server, cannot be reached. */
  Unreachable: 5,
  /** What was waited for did not happen in time; it may still. */
  TimedOut: 6,
  /** Ended by Ctrl-C, as shells count it: 128 and the number of SIGINT. */
  Interrupted: 130,
} as const;
export type CliExit = (typeof CliExit)[keyof typeof CliExit];

/** Stable codes of `CliError`. */
export const CliErrorCode = {
  /** No API server is known. */
  NoContext: 'CLI_NO_CONTEXT',
  /** A configuration file is wrong. */
  Config: 'CLI_CONFIG',
  /** A file that the configuration names cannot be used. */
  File: 'CLI_FILE',
  /** An argument is wrong. */
  Argument: 'CLI_ARGUMENT',
  NotFound: 'CLI_NOT_FOUND',
  Denied: 'CLI_DENIED',
  Unreachable: 'CLI_UNREACHABLE',
  /** The API server answered with an error. */
  Api: 'CLI_API',
  /** The boot server answered with an error. */
  Refused: 'CLI_REFUSED',
  /** Somebody else has changed it in between. */
  Conflict: 'CLI_CONFLICT',
  /** What was waited for did not happen in time. */
  Timeout: 'CLI_TIMEOUT',
  /** What was waited for has failed. */
  Failed: 'CLI_FAILED',
  /** Ended by Ctrl-C. */
  Interrupted: 'CLI_INTERRUPTED',
} as const;
export type CliErrorCode = (typeof CliErrorCode)[keyof typeof CliErrorCode];

const EXITS: Readonly<Record<CliErrorCode, CliExit>> = {
  [CliErrorCode.NoContext]: CliExit.Usage,
  [CliErrorCode.Config]: CliExit.Usage,
  [CliErrorCode.File]: CliExit.Failed,
  [CliErrorCode.Argument]: CliExit.Usage,
  [CliErrorCode.NotFound]: CliExit.NotFound,
  [CliErrorCode.Denied]: CliExit.Denied,
  [CliErrorCode.Unreachable]: CliExit.Unreachable,
  [CliErrorCode.Api]: CliExit.Failed,
  [CliErrorCode.Refused]: CliExit.Failed,
  [CliErrorCode.Conflict]: CliExit.Failed,
  [CliErrorCode.Timeout]: CliExit.TimedOut,
  [CliErrorCode.Failed]: CliExit.Failed,
  [CliErrorCode.Interrupted]: CliExit.Interrupted,
};

/** What went wrong, in words that say what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  get exit(): CliExit {
    return EXITS[this.code];
  }
}

/** Where the call went, for the words about its failure. */
export interface CallTarget {
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
}

/** Puts a failed call into words. */
export function explainApiError(error: ApiError, target: CallTarget): CliError {
  const { code, message } = error;
  if (code === Code.Unauthenticated) {
    return new CliError(
      CliErrorCode.Denied,
      `${target.url} does not accept the token in ${target.tokenFile}: ${message}\n` +
        "Get a valid one (ingot token create, with an administrator's token) and point --api-token-file to it.",
      error,
    );
  }
  if (code === Code.PermissionDenied) {
    return new CliError(
      CliErrorCode.Denied,
      `the token in ${target.tokenFile} does not allow this: ${message}\n` +
        'Use one with the role that it takes (ingot method ls --mine shows what this one may), or ask for your own things only,\n' +
        'with --project, --mine, --own or --tenant where the command has them.',
      error,
    );
  }
  if (code === Code.Unavailable || code === Code.DeadlineExceeded) {
    const hint = reachHint(message, target);
    return new CliError(CliErrorCode.Unreachable, `${target.url} cannot be reached: ${message}\n${hint}`, error);
  }
  if (code === Code.Aborted) return new CliError(CliErrorCode.Conflict, message, error);
  if (code === Code.NotFound) return new CliError(CliErrorCode.NotFound, message, error);
  if (code === Code.InvalidArgument) return new CliError(CliErrorCode.Argument, message, error);
  // The server's own words say what to do about these.
  if (code === Code.FailedPrecondition || code === Code.AlreadyExists)
    return new CliError(CliErrorCode.Api, message, error);
  return new CliError(CliErrorCode.Api, `${target.url} answered ${error.codeName}: ${message}`, error);
}

function reachHint(message: string, target: CallTarget): string {
  if (/certificate|altnames|self.signed|issuer/i.test(message)) {
    return `Its certificate is not the one that ${target.caFile} vouches for: is --api-ca-file that server's ca.pem, and does the URL name the server as its certificate does?`;
  }
  return 'Is the server up (ingot api-server, ingot lab up), is the URL right, and is the network between?';
}
