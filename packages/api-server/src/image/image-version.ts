import { parse, Range, SemVer } from 'semver';

/** What an image id says: `debian-12.0.20260101`. */
export interface ImageVersion {
  /** `debian`; may itself contain dashes. */
  readonly os: string;
  /** The patch is a date, `20260101`, in ids that name one image; without it the id names the newest one. */
  readonly version: SemVer;
  readonly hasMinor: boolean;
  readonly hasPatch: boolean;
}

/**
 * Reads an image id: `os-major.minor.patch`, or `os-major.minor` and `os-major` for the newest of them. A version may be
 * followed by a pre-release (`-rc1`). Undefined for anything else.
 */
export function parseImageId(id: string): ImageVersion | undefined {
  const [, os = '', numbers = '', suffix = ''] =
    /^([a-z][a-z0-9_-]*?)-(\d+(?:\.\d+){0,2})([-+][0-9A-Za-z.+-]+)?$/.exec(id) ?? [];
  if (os === '') return undefined;
  const parts = numbers.split('.');
  const version = parse(`${[...parts, '0', '0'].slice(0, 3).join('.')}${suffix}`);
  return version === null ? undefined : { os, version, hasMinor: parts.length > 1, hasPatch: parts.length === 3 };
}

/** Whether a full image id is one of those that a short one names: the same system, major and, if given, minor. */
export function isVersionOf(short: string, id: string): boolean {
  const wanted = parseImageId(short);
  const found = parseImageId(id);
  if (wanted === undefined || found === undefined || wanted.os !== found.os || !found.hasPatch) return false;
  if (wanted.hasPatch) return wanted.version.compare(found.version) === 0;
  const sameMinor = wanted.version.minor === found.version.minor;
  return wanted.version.major === found.version.major && (!wanted.hasMinor || sameMinor);
}

/** A range of versions. */
export interface VersionRange {
  includes(version: SemVer): boolean;
}

/**
 * Reads a range as metal-stack writes it: `*`, `>= 12.0.20260101`, `~1.2`, `^1`, `1.x`, alternatives by `||`, and several
 * conditions separated by commas or spaces. Undefined for anything else.
 */
export function parseVersionRange(text: string): VersionRange | undefined {
  // The Go library takes commas, and spaces behind an operator; leading zeros as in 1.02 it refuses, too.
  const words = text.replaceAll(/,/g, ' ').replaceAll(/([<>=~^!]+)\s+/g, '$1');
  const excluded: string[] = [];
  const kept = words.replaceAll(/!=(\S+)/g, (_all, version: string) => {
    excluded.push(version);
    return '';
  });
  try {
    const range = new Range(kept, { includePrerelease: true });
    const without = excluded.map((version) => new Range(version, { includePrerelease: true }));
    return { includes: (version) => range.test(version) && !without.some((one) => one.test(version)) };
  } catch {
    return undefined;
  }
}

/** Newest first. */
export function byVersion(a: ImageVersion, b: ImageVersion): number {
  return b.version.compare(a.version);
}
