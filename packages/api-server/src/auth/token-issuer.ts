import { apiV2, ApiError, Code, create, timestampFromMs, timestampMs } from '@ingot/api';
import type { Clock, Entropy } from '@ingot/net';
import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT, errors, type JWK } from 'jose';
import type { SecretStore } from '../store/secret-store.ts';
import type { Caller, Lent } from './caller.ts';
import type { TokenStore } from './token-store.ts';
import { uuidV7 } from './uuid-v7.ts';
import { createVerifiedTokens, type VerifiedToken } from './verified-tokens.ts';

/** What a token may do and for how long, before it has a name. */
interface TokenGrant {
  readonly user: string;
  readonly description: string;
  readonly tokenType: apiV2.TokenType;
  readonly lifetimeMs: number;
  readonly adminRole?: apiV2.AdminRole;
  readonly infraRole?: apiV2.InfraRole;
  readonly machineRoles?: Record<string, apiV2.MachineRole>;
  readonly projectRoles?: Record<string, apiV2.ProjectRole>;
  readonly tenantRoles?: Record<string, apiV2.TenantRole>;
  readonly permissions?: apiV2.MethodPermission[];
  readonly labels?: apiV2.Labels;
  readonly lent?: Lent | undefined;
}

export interface TokenIssuer {
  /** Stores a record and signs the token that names it. */
  issue(grant: TokenGrant): Promise<{ readonly token: apiV2.Token; readonly secret: string }>;
  /** Whoever is behind a bearer token. Throws `Unauthenticated` with the reason. */
  authenticate(bearer: string | undefined): Promise<Caller>;
}

export interface TokenIssuerOptions {
  readonly secrets: SecretStore;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** URL of this server: claims `iss` and `aud`. */
  readonly issuer: string;
}

// What metal-stack's clients expect: ECDSA over P-521.
const ALGORITHM = 'ES512';
/** Agents and servers agree about time only roughly before NTP has run. */
const CLOCK_TOLERANCE_S = 30;
const anonymous: Caller = { kind: 'anonymous' };

/** Reads the signing key from the database, or makes one. */
export async function createTokenIssuer(options: TokenIssuerOptions): Promise<TokenIssuer> {
  const { tokens, clock, entropy, issuer } = options;
  const jwk = await signingKey(options.secrets);
  const { d: _secret, ...publicJwk } = jwk;
  const [privateKey, publicKey] = await Promise.all([importJWK(jwk, ALGORITHM), importJWK(publicJwk, ALGORITHM)]);

  const verified = createVerifiedTokens();
  const verify = async (bearer: string): Promise<VerifiedToken> => {
    const now = clock.now();
    const known = verified.get(bearer);
    const tolerance = CLOCK_TOLERANCE_S * 1000;
    if (known !== undefined && known.notBefore <= now + tolerance && now - tolerance < known.notAfter) return known;
    try {
      const { payload } = await jwtVerify(bearer, publicKey, {
        algorithms: [ALGORITHM],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(now),
      });
      const token: VerifiedToken = {
        uuid: payload.jti,
        notBefore: (payload.nbf ?? 0) * 1000,
        notAfter: (payload.exp ?? Number.POSITIVE_INFINITY) * 1000,
      };
      verified.add(bearer, token);
      return token;
    } catch (error) {
      throw new ApiError(Code.Unauthenticated, refusal(error), { cause: error });
    }
  };

  return {
    async issue({ lifetimeMs, labels, lent, ...grant }) {
      const now = clock.now();
      const expiresAt = now + lifetimeMs;
      const token = create(apiV2.TokenSchema, {
        ...grant,
        meta: { createdAt: timestampFromMs(now), ...(labels === undefined ? {} : { labels }) },
        uuid: uuidV7(now, entropy),
        issuedAt: timestampFromMs(now),
        expires: timestampFromMs(expiresAt),
      });
      const secret = await new SignJWT({
        type: token.tokenType === apiV2.TokenType.USER ? 'TOKEN_TYPE_USER' : 'TOKEN_TYPE_API',
      })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setJti(token.uuid)
        .setSubject(token.user)
        .setIssuer(issuer)
        .setAudience([issuer])
        .setIssuedAt(Math.floor(now / 1000))
        .setNotBefore(Math.floor(now / 1000))
        .setExpirationTime(Math.floor(expiresAt / 1000))
        .sign(privateKey);
      await tokens.add({ token, lent });
      return { token, secret };
    },
    async authenticate(bearer) {
      if (bearer === undefined) return anonymous;
      const { uuid } = await verify(bearer);
      const record = uuid === undefined ? undefined : await tokens.get(uuid);
      if (record === undefined) {
        throw new ApiError(Code.Unauthenticated, 'this token was revoked or has expired: ask for another one');
      }
      return { kind: 'token', ...record };
    },
  };
}

/** When a caller's rights end, milliseconds since the epoch; never for callers without token. */
export function expiryOf(caller: Caller): number {
  if (caller.kind === 'anonymous' || caller.token.expires === undefined) return Number.POSITIVE_INFINITY;
  return timestampMs(caller.token.expires);
}

function refusal(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'this token has expired: ask for another one';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `this token is not valid yet, or not any more: ${error.message}; compare the clocks`;
  }
  return 'this is no token of this server: was it made by another one, or before its data directory was renewed?';
}

const KEY_NAME = 'token-signing-key';

async function signingKey(secrets: SecretStore): Promise<JWK> {
  const found = await secrets.get(KEY_NAME);
  if (found !== undefined) return parseKey(found);
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  // Of several servers that start together one wins.
  return parseKey(await secrets.offer(KEY_NAME, JSON.stringify(await exportJWK(privateKey))));
}

function parseKey(json: string): JWK {
  const jwk: JWK = JSON.parse(json);
  return jwk;
}
