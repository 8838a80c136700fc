/** An image that somebody may want, before it is decided which ones are kept. */
export interface CatalogueImage {
  readonly url: string;
  /** Groups images of one operating system: `debian-12.0` of `debian-12.0.20260101`. */
  readonly name: string;
  /** What comes after the name; the newest sorts last. */
  readonly version: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch; undefined never expires. */
  readonly expiresAt: number | undefined;
  /** Named in the configuration or booted by the partition: kept whatever the bounds say. */
  readonly pinned: boolean;
}

export interface RetentionLimits {
  readonly maxBytes: number;
  readonly minImagesPerName: number;
  readonly maxImagesPerName: number | undefined;
  readonly expirationGraceMs: number;
}

export type DropReason = 'expired' | 'more-than-max-per-name' | 'over-max-bytes';

export interface Retention {
  readonly keep: readonly CatalogueImage[];
  readonly drop: readonly { readonly image: CatalogueImage; readonly reason: DropReason }[];
  readonly keptBytes: number;
  /** How far the kept images exceed `maxBytes` although nothing more may be dropped; 0 when they fit. */
  readonly excessBytes: number;
}

/**
 * Which images stay: expired ones go after their grace, of each name only the newest `maxImagesPerName`, and while all
 * together exceed `maxBytes` the oldest image of the largest name goes, never below `minImagesPerName` of a name.
 */
export function selectImages(images: readonly CatalogueImage[], limits: RetentionLimits, now: number): Retention {
  const drop: { image: CatalogueImage; reason: DropReason }[] = [];
  const pinned = images.filter((image) => image.pinned);
  const groups = new Map<string, CatalogueImage[]>();
  for (const image of images) {
    if (image.pinned) continue;
    if (image.expiresAt !== undefined && image.expiresAt + limits.expirationGraceMs <= now) {
      drop.push({ image, reason: 'expired' });
      continue;
    }
    const group = groups.get(image.name);
    if (group === undefined) groups.set(image.name, [image]);
    else group.push(image);
  }
  for (const group of groups.values()) {
    group.sort((a, b) => compareVersions(b.version, a.version));
    const surplus = limits.maxImagesPerName === undefined ? [] : group.splice(limits.maxImagesPerName);
    for (const image of surplus) drop.push({ image, reason: 'more-than-max-per-name' });
  }
  const bytesOf = (list: readonly CatalogueImage[]): number => list.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let keptBytes = bytesOf(pinned) + [...groups.values()].reduce((sum, group) => sum + bytesOf(group), 0);
  while (keptBytes > limits.maxBytes) {
    const candidates = [...groups.values()].filter((group) => group.length > limits.minImagesPerName);
    const largest = candidates.toSorted((a, b) => bytesOf(b) - bytesOf(a))[0];
    const oldest = largest?.pop();
    if (oldest === undefined) break;
    keptBytes -= oldest.sizeBytes;
    drop.push({ image: oldest, reason: 'over-max-bytes' });
  }
  return {
    keep: [...pinned, ...[...groups.values()].flat()],
    drop,
    keptBytes,
    excessBytes: Math.max(0, keptBytes - limits.maxBytes),
  };
}

/** Number parts by their value, all others as text: `12.0.20260101` before `12.0.20261101` before `12.10.1`. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(/[.\-_]/);
  const right = b.split(/[.\-_]/);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const x = left[index] ?? '';
    const y = right[index] ?? '';
    if (x === y) continue;
    const areNumbers = /^\d{1,15}$/.test(x) && /^\d{1,15}$/.test(y);
    if (areNumbers && Number(x) !== Number(y)) return Number(x) - Number(y);
    if (!areNumbers) return x < y ? -1 : 1;
  }
  return 0;
}

/**
 * Takes an image id apart as the API's images are named: operating system, then major.minor, then the patch:
 * `debian-12.0.20260101` → name `debian-12.0`, version `12.0.20260101`. An id of another form is a name of its own.
 */
export function parseImageId(id: string): { readonly name: string; readonly version: string } {
  const match = /^(?<os>.+)-(?<version>\d+(?:\.\d+)*(?:[-+.]\w+)*)$/.exec(id);
  const { os, version } = match?.groups ?? {};
  if (os === undefined || version === undefined) return { name: id, version: '' };
  const [major = '', minor = ''] = version.split('.');
  return { name: `${os}-${minor === '' ? major : `${major}.${minor}`}`, version };
}
