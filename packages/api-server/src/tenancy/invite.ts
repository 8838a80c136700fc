import { ApiError, Code } from '@ingot/api';
import type { Entropy } from '@ingot/net';

/** An invite that is not accepted by then is forgotten. */
export const INVITE_LIFE_MS: number = 7 * 24 * 60 * 60 * 1000;

/** 256 bits, as text that survives a mail, and is no option on a command line: it never begins with a dash. */
export function inviteSecret(entropy: Entropy): string {
  return Buffer.from(entropy.bytes(32)).toString('hex');
}

/** Throws `NotFound` for an invite that is not there, or has expired: the two look alike from outside. */
export function checkInvite(invite: { expiresAt?: { seconds: bigint; nanos: number } | undefined }, now: number): void {
  const { expiresAt } = invite;
  if (expiresAt !== undefined && Number(expiresAt.seconds) * 1000 > now) return;
  throw noInvite();
}

export function noInvite(): ApiError {
  return new ApiError(Code.NotFound, 'there is no such invite, or it has expired: ask for another one');
}
