import { z } from 'zod';

/** From when to when a token is valid, milliseconds since the epoch. */
export interface TokenLife {
  readonly issuedMs: number;
  readonly expiresMs: number;
}

// The last second that a Date can hold.
const LAST_SECOND = 8_640_000_000_000;
const second = z.number().min(0).max(LAST_SECOND);
const claims = z.object({ iat: second, exp: second }).refine(({ iat, exp }) => exp > iat);

/**
 * What a JSON web token says of itself (RFC 7519 §4.1), unchecked: only the API can tell whether it is true.
 * Undefined for a token of another kind, or one that never ends.
 */
export function tokenLife(token: string): TokenLife | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(payload, 'base64url').toString());
  } catch {
    return undefined;
  }
  const parsed = claims.safeParse(json);
  if (!parsed.success) return undefined;
  return { issuedMs: parsed.data.iat * 1000, expiresMs: parsed.data.exp * 1000 };
}
