import * as z from 'zod/mini';
import type { Secret } from '../secret.ts';

/** From when until when a token is good, milliseconds since the epoch. */
export interface TokenLife {
  readonly fromMs: number;
  readonly untilMs: number;
}

const claims = z.object({ iat: z.number(), exp: z.number() });

/** Reads a JWT's claims without its signature, which is the server's to check. `undefined` for tokens of other kinds. */
export function tokenLife(token: Secret): TokenLife | undefined {
  const payload = token.reveal().split('.')[1] ?? '';
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = claims.safeParse(json);
  if (!parsed.success || !(parsed.data.exp > parsed.data.iat)) return undefined;
  return { fromMs: parsed.data.iat * 1000, untilMs: parsed.data.exp * 1000 };
}
