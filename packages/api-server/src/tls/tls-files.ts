import { join } from 'node:path';
import type { Clock, Entropy } from '@ingot/net';
import { ApiServerError, ApiServerErrorCode } from '../errors.ts';
import { readIfThere, writeWhole } from '../private-file.ts';
import type { AuthorityStore } from './authority-store.ts';
import { createAuthority, createServerIdentity, whyRenew, whyUntrusted, type Identity } from './certificates.ts';

export interface TlsFiles {
  /** PEM of the authority, for clients. */
  readonly caFile: string;
  readonly ca: string;
  readonly server: Identity;
  /** Why the server's certificate was made anew; undefined if the old one still serves. */
  readonly renewed: string | undefined;
  /** What clients do not like about the authority, in words with what to do; undefined if they trust it. */
  readonly untrusted: string | undefined;
}

export interface TlsFilesOptions {
  /** `<dataDir>/tls`. */
  readonly directory: string;
  /** Host names and addresses that clients dial. */
  readonly names: readonly string[];
  readonly authority: AuthorityStore;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/**
 * Reads `ca.pem`, `ca.key`, `server.pem` and `server.key`, or makes them. The authority lives ten years and is never
 * replaced by itself: agents and machines trust exactly it. It is in the database, too: servers that share one have the
 * same, and a server that was restored from a backup has the former. The files of an only server win over that copy.
 */
export async function loadTlsFiles(options: TlsFilesOptions): Promise<TlsFiles> {
  const { directory, names, authority: store, clock, entropy } = options;
  const path = (name: string): string => join(directory, name);
  const serial = (): string => {
    const bytes = entropy.bytes(16);
    // RFC 5280, section 4.1.2.2: positive; a first byte of 1 also spares DER its padding.
    bytes[0] = 1;
    return Buffer.from(bytes).toString('hex');
  };

  const local = await readPair(path('ca.pem'), path('ca.key'));
  const stored = await store.get();
  const authority = local ?? stored ?? (await store.offer(await createAuthority(plausible(clock.now()), serial())));
  const untrusted = (): string | undefined => {
    const reason = checked(() => whyUntrusted(authority, clock.now()));
    if (reason === undefined) return undefined;
    const today = new Date(clock.now()).toISOString();
    return (
      `no client trusts this server: its authority ${reason}, and the clock of this host says ${today}. Set the clock; if it ` +
      'was wrong when the authority was made, begin anew with an empty dataDir and database'
    );
  };
  if (local === undefined) {
    await writeWhole(path('ca.key'), authority.key, 0o600);
    await writeWhole(path('ca.pem'), authority.cert, 0o644);
  }
  const found = await readPair(path('server.pem'), path('server.key'));
  const reason = found === undefined ? 'there was none' : checked(() => whyRenew(found, authority, names, clock.now()));
  if (found !== undefined && reason === undefined) {
    await share();
    return {
      caFile: path('ca.pem'),
      ca: authority.cert,
      server: found,
      renewed: undefined,
      untrusted: untrusted(),
    };
  }
  const server = await checkedAsync(() => createServerIdentity(authority, names, clock.now(), serial()));
  await share();
  await writeWhole(path('server.key'), server.key, 0o600);
  await writeWhole(path('server.pem'), server.cert, 0o644);
  return { caFile: path('ca.pem'), ca: authority.cert, server, renewed: reason, untrusted: untrusted() };

  /** After it has proved good, so that no damaged file gets into the database. */
  async function share(): Promise<void> {
    if (stored !== undefined && isSame(stored, authority)) return;
    if (!store.shared) return store.put(authority);
    if (isSame(await store.offer(authority), authority)) return;
    throw new ApiServerError(
      ApiServerErrorCode.TlsFilesUnusable,
      `the authority in ${directory} is another one than that of the servers that share the database: remove that ` +
        'directory, and the server takes theirs',
    );
  }
  function unusable(cause: unknown): ApiServerError {
    return new ApiServerError(
      ApiServerErrorCode.TlsFilesUnusable,
      `cannot use the files in ${directory}: ${cause instanceof Error ? cause.message : String(cause)}; ` +
        'restore them from a backup, or remove all four: the authority is in the database, too',
      { cause },
    );
  }
  function checked<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unusable(error);
    }
  }
  async function checkedAsync<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw unusable(error);
    }
  }
}

function isSame(one: Identity, other: Identity): boolean {
  return one.cert === other.cert && one.key === other.key;
}

/** This program is not as old. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

/** An authority that is made while the clock stands in the past has ended when that is set. */
function plausible(now: number): number {
  if (now >= EARLIEST_MS) return now;
  throw new ApiServerError(
    ApiServerErrorCode.ClockWrong,
    `the clock of this host says ${new Date(now).toISOString()}: set it before the first start, or what is made now ` +
      'would have ended by then',
  );
}

/** Both or, after a crash between the two writes, neither. */
async function readPair(certFile: string, keyFile: string): Promise<Identity | undefined> {
  const [cert, key] = await Promise.all([readIfThere(certFile), readIfThere(keyFile)]);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}
