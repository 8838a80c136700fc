import { ApiError, Code } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import type { Caller } from './caller.ts';

/**
 * For streams, which outlive the check at their start: throws `Unauthenticated` once the token behind one has expired or
 * was revoked. To be asked before each message.
 */
export async function refuseEndedToken({ tokens }: Stores, caller: Caller): Promise<void> {
  if (caller.kind === 'anonymous' || (await tokens.has(caller.token.uuid))) return;
  throw new ApiError(
    Code.Unauthenticated,
    'the token of this stream was revoked or has expired: ask for another one, and open the stream again with it',
  );
}
