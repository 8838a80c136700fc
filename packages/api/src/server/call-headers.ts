import { ApiError, Code } from '../errors.ts';
import type { IncomingCall } from './pipeline.ts';

/** RFC 6750, section 2.1; the scheme's name is case-insensitive (RFC 9110, section 11.1). Throws `Unauthenticated`. */
export function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const match = /^bearer +([\w~+/.-]+=*) *$/i.exec(authorization);
  if (match === null) throw new ApiError(Code.Unauthenticated, 'the authorization header must be "Bearer <token>"');
  return match[1];
}

/** Throws `InvalidArgument`. */
export function idempotencyKeyOf({ idempotencyKey }: IncomingCall): string | undefined {
  if (idempotencyKey === undefined || /^[!-~]{1,128}$/.test(idempotencyKey)) return idempotencyKey;
  throw new ApiError(Code.InvalidArgument, 'the idempotency-key header must have 1 to 128 printable ASCII characters');
}
