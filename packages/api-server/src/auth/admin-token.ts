import { apiV2, timestampMs } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { readIfThere, writeWhole } from '../private-file.ts';
import type { TokenIssuer } from './token-issuer.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFETIME_MS = 365 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;

/**
 * Keeps a token with all rights in a file of mode 0600. Made when the file is not there, holds no token of this server,
 * or ends within 30 days. True if it was made.
 */
export async function ensureAdminToken(path: string, issuer: TokenIssuer, clock: Clock): Promise<boolean> {
  const found = (await readIfThere(path))?.trim();
  if (found !== undefined && found !== '' && (await stillGood(found, issuer, clock))) return false;
  const { secret } = await issuer.issue({
    user: 'admin',
    description: 'made by the API server for its operator',
    tokenType: apiV2.TokenType.USER,
    adminRole: apiV2.AdminRole.EDITOR,
    lifetimeMs: LIFETIME_MS,
  });
  await writeWhole(path, `${secret}\n`, 0o600);
  return true;
}

async function stillGood(bearer: string, issuer: TokenIssuer, clock: Clock): Promise<boolean> {
  try {
    const caller = await issuer.authenticate(bearer);
    if (caller.kind !== 'token' || caller.token.expires === undefined) return false;
    return timestampMs(caller.token.expires) - clock.now() > RENEW_BEFORE_MS;
  } catch {
    // Revoked, or of another data directory.
    return false;
  }
}
