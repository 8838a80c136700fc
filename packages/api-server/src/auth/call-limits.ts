import { ApiError, Code, type apiV2, type MethodAccess } from '@ingot/api';
import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { formatIpAddress, formatIpPrefix, ipPrefixAt, parseIpAddress } from '@ingot/wire';
import type { Caller } from './caller.ts';

/** Calls a minute; so many may come at once, and after that one after the other. */
export interface CallsPerMinute {
  /** With one token. Tokens of administrators and of infrastructure have no limit: a hall hangs on them. */
  readonly token: number;
  /** Without a token, or with a bad one, from one IPv4 address or one IPv6 network of 64 bits. */
  readonly anonymous: number;
}

/** Counts the calls of everybody who has a limit. */
export interface CallLimits {
  /** Throws `ResourceExhausted`, with when to ask again, for whoever asks more often than that; undefined: a bad token. */
  readonly admit: (caller: Caller | undefined, peer: string) => void;
}

export interface CallLimitsOptions {
  readonly perMinute: CallsPerMinute;
  /** What is served, by path: it tells methods of infrastructure. */
  readonly methods: ReadonlyMap<string, MethodAccess>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Calls that somebody may make at a time: the number grows by `perMinute` a minute, and no further than that. */
interface Bucket {
  calls: number;
  /** Milliseconds, monotonic. */
  at: number;
  isEmpty: boolean;
}

const MINUTE_MS = 60_000;
/** The tokens of a large hall; some 200 bytes each. Whoever is forgotten has been quiet for longest, and begins anew. */
const MAX_REMEMBERED = 16_384;

export function createCallLimits({ perMinute, methods, clock, log }: CallLimitsOptions): CallLimits {
  const buckets = new Map<string, Bucket>();

  const bucketOf = (key: string, limit: number): Bucket => {
    const found = buckets.get(key);
    const bucket = found ?? { calls: limit, at: clock.monotonic(), isEmpty: false };
    // To the end: the front is what was quiet for longest.
    if (found !== undefined) buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > MAX_REMEMBERED) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  };

  const isInfrastructure = ({ adminRole = 0, infraRole = 0, permissions }: apiV2.Token): boolean => {
    if (adminRole !== 0 || infraRole !== 0) return true;
    return permissions.some(
      (permission) =>
        permission.subject === '' &&
        permission.methods.some((path) => {
          const access = methods.get(path);
          return access !== undefined && access.adminRoles.length + access.infraRoles.length > 0;
        }),
    );
  };

  return {
    admit(caller, peer) {
      const token = caller?.kind === 'token' ? caller.token : undefined;
      if (token !== undefined && isInfrastructure(token)) return;
      const key = token?.uuid ?? networkOf(peer);
      const limit = token === undefined ? perMinute.anonymous : perMinute.token;
      const bucket = bucketOf(key, limit);
      const now = clock.monotonic();
      bucket.calls = Math.min(limit, bucket.calls + ((now - bucket.at) * limit) / MINUTE_MS);
      bucket.at = now;
      // Whoever comes back when told to must not fail by a rounding.
      if (bucket.calls >= 1 - 1e-9) {
        bucket.calls = Math.max(0, bucket.calls - 1);
        bucket.isEmpty = false;
        return;
      }
      const who = token === undefined ? `${key}, without a good token,` : `token ${key}`;
      const retryAfterMs = Math.ceil(((1 - bucket.calls) * MINUTE_MS) / limit);
      // Once for each time that the limit is reached, or whoever asks too often fills the log.
      if (!bucket.isEmpty)
        log.warn({ event: 'api.limit', peer, limit }, `${who} calls more than ${limit} times a minute`);
      bucket.isEmpty = true;
      throw new ApiError(
        Code.ResourceExhausted,
        `${who} may make ${limit} calls a minute: try again in ${Math.ceil(retryAfterMs / 1000)} s, and less often`,
        { retryAfterMs },
      );
    },
  };
}

/** Of `10.0.0.7:41234` the address; of `[2001:db8::7]:41234` the network, since a host can have all addresses of one. */
function networkOf(peer: string): string {
  const host = peer.replace(/:\d+$/, '').replaceAll(/[[\]]|%[^\]]*/g, '');
  const address = parseIpAddress(host);
  if (!address.ok || address.value.family === 'ipv4') return host;
  const { value } = address.value;
  // How a socket for both families shows an IPv4 address (RFC 4291, section 2.5.5.2).
  const isMapped = value >> 32n === 0xffffn;
  return isMapped
    ? formatIpAddress({ family: 'ipv4', value: value & 0xffff_ffffn })
    : formatIpPrefix(ipPrefixAt(address.value, 64));
}
