/** Debian packages as pinned, verified and unpacked build inputs. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { facts, hostArchitecture } from './architecture.ts';
import type { Architecture } from './architecture.ts';
import { aptOf } from './apt.ts';
import type { Apt } from './apt.ts';
import { libraryPackages, programs } from './contents.ts';

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Of the .deb file, hexadecimal. */
  readonly sha256: string;
}

export const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');

export class PackageGoneError extends Error {
  override readonly name = 'PackageGoneError';
}

export function readLock(path: string): LockedPackage[] {
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(parsed)) throw new Error(`${path}: expected a list of {name, version, sha256}`);
  return parsed.map((entry: Partial<LockedPackage>) => {
    const { name, version, sha256: digest } = entry;
    if (name === undefined || version === undefined || !/^[0-9a-f]{64}$/.test(digest ?? ''))
      throw new Error(`${path}: incomplete entry ${JSON.stringify(entry)}; run \`node images/build.ts --update-lock\``);
    return { name, version, sha256: digest ?? '' };
  });
}

export function writeLock(path: string, packages: readonly LockedPackage[]): void {
  writeFileSync(path, `${JSON.stringify(packages, null, 2)}\n`);
}

/** The versions that the package lists offer now. */
export function resolveCurrent(cache: string, architecture: Architecture): LockedPackage[] {
  const { kernelMetapackage } = facts[architecture];
  const apt = aptOf(cache, architecture);
  if (architecture !== hostArchitecture) apt.update();
  const metapackage = aptShow(apt, [kernelMetapackage])[0] ?? '';
  const kernel = /^Depends:.*?\b(linux-image-\d[^\s,]*)/m.exec(metapackage)?.[1];
  if (kernel === undefined) throw new Error(`${kernelMetapackage} names no kernel; run \`apt-get update\``);
  const names = [kernel, ...programs.map((program) => program.name), ...libraryPackages].sort();
  const records = new Map(aptShow(apt, names).map((record) => [/^Package: (\S+)/m.exec(record)?.[1], record]));
  return names.map((name) => {
    const record = records.get(name) ?? '';
    const version = /^Version: (\S+)/m.exec(record)?.[1];
    const digest = /^SHA256: ([0-9a-f]{64})/m.exec(record)?.[1];
    if (version === undefined || digest === undefined)
      throw new Error(`the package lists say too little about ${name}; run \`apt-get update\``);
    return { name, version, sha256: digest };
  });
}

function aptShow(apt: Apt, names: readonly string[]): string[] {
  try {
    return apt.run('apt-cache', ['show', '--no-all-versions', ...names]).split('\n\n');
  } catch (cause) {
    throw new Error(`this host's package lists lack one of ${names.join(', ')}; run \`apt-get update\``, { cause });
  }
}

/** Where a package lies unpacked, whether or not it does yet. */
export function packageDirectory(cache: string, locked: LockedPackage): string {
  return join(
    cache,
    'packages',
    `${locked.name}_${locked.version.replaceAll(':', '%3a')}_${locked.sha256.slice(0, 8)}`,
  );
}

/**
 * Downloads, verifies and unpacks whatever of `lock` is not yet in the cache.
 *
 * @throws PackageGoneError when the archive does not offer a pinned version any more
 */
export function fetchPackages(cache: string, lock: readonly LockedPackage[], architecture: Architecture): void {
  const missing = lock.filter((locked) => !existsSync(packageDirectory(cache, locked)));
  if (missing.length === 0) return;
  mkdirSync(join(cache, 'packages'), { recursive: true });
  const work = mkdtempSync(join(cache, 'packages', '.work-'));
  try {
    download(aptOf(cache, architecture), work, missing, architecture);
    const byDigest = new Map(
      readdirSync(work)
        .filter((name) => name.endsWith('.deb'))
        .map((name) => [sha256(readFileSync(join(work, name))), join(work, name)]),
    );
    for (const locked of missing) {
      const deb = byDigest.get(locked.sha256);
      if (deb === undefined)
        throw new Error(`${locked.name} ${locked.version}: what was downloaded has not the sha256 that the lock says`);
      unpack(deb, join(work, locked.name), packageDirectory(cache, locked));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function unpack(deb: string, work: string, target: string): void {
  execFileSync('dpkg-deb', ['-x', deb, work], { stdio: 'pipe' });
  try {
    renameSync(work, target);
  } catch (error) {
    // Another build finished the same package first.
    if (!existsSync(target)) throw error;
  }
}

function download(apt: Apt, work: string, packages: readonly LockedPackage[], architecture: Architecture): void {
  const names = packages.map(({ name, version }) => `${name}:${architecture}=${version}`);
  const tryIt = (): string => apt.run('apt-get', ['-q', 'download', ...names], work);
  try {
    tryIt();
    return;
  } catch (error) {
    // Package lists that are old, or were removed to save space, look just like a version that is gone.
    if (architecture === hostArchitecture && process.getuid?.() !== 0) throw gone(error, architecture);
  }
  try {
    apt.update();
    tryIt();
  } catch (error) {
    throw gone(error, architecture);
  }
}

function gone(cause: unknown, architecture: Architecture): PackageGoneError {
  const detail = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
  return new PackageGoneError(
    `apt-get could not download the pinned packages (${detail}); if a version is gone from the archive, run ` +
      `\`apt-get update\`, then \`node images/build.ts --update-lock --arch ${architecture}\` to pin what it offers now`,
    { cause },
  );
}
