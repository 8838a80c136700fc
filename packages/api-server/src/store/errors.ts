import { ApiError, Code } from '@ingot/api';

/** A row with the same key is there already. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation';
}

/** The database is away, full or overloaded; clients try again. */
export function unavailable(reason: string, cause?: unknown): ApiError {
  return new ApiError(Code.Unavailable, `the database ${reason}: try again later`, { cause });
}

/** Others change the same things; the client looks at them again. */
export function aborted(reason: string, cause?: unknown): ApiError {
  return new ApiError(Code.Aborted, reason, { cause });
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
