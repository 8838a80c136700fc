/**
 * gRPC status codes: https://grpc.io/docs/guides/status-codes/. The numbers are the wire's, the names are what `ApiError`
 * shows.
 */
export const Code = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;
export type Code = (typeof Code)[keyof typeof Code];
export type CodeName = keyof typeof Code;

const BY_NUMBER: ReadonlyMap<number, Code> = new Map(Object.values(Code).map((code) => [code, code]));

const NAMES: Readonly<Record<Code, CodeName>> = {
  [Code.Canceled]: 'Canceled',
  [Code.Unknown]: 'Unknown',
  [Code.InvalidArgument]: 'InvalidArgument',
  [Code.DeadlineExceeded]: 'DeadlineExceeded',
  [Code.NotFound]: 'NotFound',
  [Code.AlreadyExists]: 'AlreadyExists',
  [Code.PermissionDenied]: 'PermissionDenied',
  [Code.ResourceExhausted]: 'ResourceExhausted',
  [Code.FailedPrecondition]: 'FailedPrecondition',
  [Code.Aborted]: 'Aborted',
  [Code.OutOfRange]: 'OutOfRange',
  [Code.Unimplemented]: 'Unimplemented',
  [Code.Internal]: 'Internal',
  [Code.Unavailable]: 'Unavailable',
  [Code.DataLoss]: 'DataLoss',
  [Code.Unauthenticated]: 'Unauthenticated',
};

/** Name of a status code; `Unknown` for numbers that gRPC does not define. */
export function codeName(code: number): CodeName {
  return NAMES[codeFromNumber(code)];
}

/** A status code of a number from the wire; `Code.Unknown` for numbers that gRPC does not define. */
export function codeFromNumber(code: number): Code {
  return BY_NUMBER.get(code) ?? Code.Unknown;
}

/**
 * Why a call failed, on both sides: handlers throw it, clients get it.
 * Its message crosses the wire and says what to do; its cause stays on its side.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: Code;
  /**
   * When to ask again, milliseconds from now; undefined where nobody knows. On the wire it is `grpc-retry-pushback-ms`
   * (gRFC A6), and `retry-after` in whole seconds (RFC 9110, section 10.2.3) for Connect.
   */
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, message: string, options?: ErrorOptions & { readonly retryAfterMs?: number | undefined }) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }

  /** Name of the code, such as `FailedPrecondition`. */
  get codeName(): CodeName {
    return codeName(this.code);
  }
}
