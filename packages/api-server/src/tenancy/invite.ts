import { ApiError, Code, timestampFromMs, timestampMs, type Timestamp } from '@ingot/api';
import type { Entropy } from '@ingot/net';
import type { Stores } from '../store/stores.ts';

/** An invite that is not accepted by then is forgotten. */
const INVITE_LIFE_MS = 7 * 24 * 60 * 60 * 1000;

/** What invites to tenants and to projects have in common. */
interface Invite {
  expiresAt?: Timestamp | undefined;
}

/** Invites by their secrets. */
interface InviteTable<T extends Invite> {
  get(secret: string): Promise<{ readonly value: T } | undefined>;
}

/** 256 bits, as text that survives a mail, and is no option on a command line: it never begins with a dash. */
export function inviteSecret(entropy: Entropy): string {
  return Buffer.from(entropy.bytes(32)).toString('hex');
}

/** When an invite ends that is made now. */
export function inviteExpiry(now: number): Timestamp {
  return timestampFromMs(now + INVITE_LIFE_MS);
}

/** Throws `NotFound` for an invite that is not there, or has expired: the two look alike from outside. */
export async function openInvite<T extends Invite>(table: InviteTable<T>, secret: string, now: number): Promise<T> {
  const [open] = openInvites([await table.get(secret)], now);
  if (open !== undefined) return open;
  throw noInvite();
}

/** Those that have not expired. */
export function openInvites<T extends Invite>(
  stored: readonly ({ readonly value: T } | undefined)[],
  now: number,
): T[] {
  return stored.flatMap((one) => (one !== undefined && isOpen(one.value, now) ? [one.value] : []));
}

function isOpen({ expiresAt }: Invite, now: number): boolean {
  return expiresAt !== undefined && timestampMs(expiresAt) > now;
}

/** Forgets those that have expired. */
export async function sweepInvites({ tenantInvites, projectInvites }: Stores, now: number): Promise<void> {
  for (const table of [tenantInvites, projectInvites]) {
    for (const stored of await table.list()) {
      if (!isOpen(stored.value, now)) await table.delete(stored.id);
    }
  }
}

export function noInvite(): ApiError {
  return new ApiError(Code.NotFound, 'there is no such invite, or it has expired: ask for another one');
}
