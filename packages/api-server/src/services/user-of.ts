import { ApiError, Code } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';

/** The user of the caller's token. Throws `Unauthenticated` without one. */
export function userOf(caller: Caller): string {
  if (caller.kind === 'token') return caller.token.user;
  throw new ApiError(Code.Unauthenticated, 'this needs a token: send "authorization: Bearer <token>"');
}
