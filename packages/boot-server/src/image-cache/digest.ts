/** The algorithms that stores use, all computed of every image, so that its checksum files can be served too. */
export type Digests = { readonly [Algorithm in Digest['algorithm']]: string };

/** What a file must hash to. */
export interface Digest {
  readonly algorithm: 'sha512' | 'sha256' | 'md5';
  /** Lower case. */
  readonly hex: string;
}

/**
 * Endings under which stores keep the digest beside a file, the strongest first. MD5 is what upstream's images have:
 * it finds a broken download, not a forged one.
 */
export const DIGEST_FILES = [
  { suffix: '.sha512sum', algorithm: 'sha512', digits: 128 },
  { suffix: '.sha512', algorithm: 'sha512', digits: 128 },
  { suffix: '.sha256sum', algorithm: 'sha256', digits: 64 },
  { suffix: '.sha256', algorithm: 'sha256', digits: 64 },
  { suffix: '.md5', algorithm: 'md5', digits: 32 },
] as const;

/** The first word of a checksum file, as `sha256sum` and `md5sum` write it; undefined when that is no such digest. */
export function parseDigestFile(text: string, file: (typeof DIGEST_FILES)[number]): Digest | undefined {
  const word = text.trimStart().split(/\s/, 1)[0]?.toLowerCase().replace(/^\\/, '') ?? '';
  if (word.length !== file.digits || !/^[0-9a-f]+$/.test(word)) return undefined;
  return { algorithm: file.algorithm, hex: word };
}

/** Takes the URL of a checksum file apart: the file that it is about, and the algorithm. */
export function digestFileOf(
  url: string,
): { readonly url: string; readonly algorithm: Digest['algorithm'] } | undefined {
  const parsed = URL.parse(url);
  const file = DIGEST_FILES.find(({ suffix }) => parsed?.pathname.endsWith(suffix) === true);
  if (parsed === null || file === undefined) return undefined;
  parsed.pathname = parsed.pathname.slice(0, -file.suffix.length);
  return { url: parsed.href, algorithm: file.algorithm };
}
