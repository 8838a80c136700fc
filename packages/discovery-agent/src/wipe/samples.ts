import type { Entropy } from '@ingot/net';

/** A run of bytes on a disk. Both numbers are multiples of the disk's logical block size. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** What was read at a place: a digest, so that contents of a disk go nowhere. */
export type Sample =
  /** `uniform`: the value that all bytes have, undefined where they differ. */
  | { readonly place: Place; readonly sha256: string; readonly uniform: number | undefined }
  | { readonly place: Place; readonly error: string };

/** Partition tables, boot loaders and most superblocks are within the first and last MiB. */
export const edgeBytes: number = 2 ** 20;
const randomSampleBytes = 4096;
/** Reaches the superblocks of ext4, xfs, LVM and md at the beginning, of md 1.0 and ZFS labels at the end. */
const partitionSampleBytes = 64 * 1024;
const maxPartitionEdges = 256;

/**
 * Random places of a disk: 64, and one more for every 16 GiB up to 512. With n of them, a wipe that left a part f of the
 * disk passes with a chance of (1-f)^n: 0.1 % for a tenth of the disk and 64 places, for 1.4 % of it and 512.
 */
export function randomSampleCount(sizeBytes: number): number {
  return Math.min(512, 64 + Math.floor(sizeBytes / (16 * 2 ** 30)));
}

export interface SampledDisk {
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  /** Where partitions begin and end. */
  readonly partitionEdges: readonly number[];
}

/** The places to look at: both ends of the disk, both sides of every partition's edges, and random ones. Sorted. */
export function samplePlaces(disk: SampledDisk, entropy: Entropy): Place[] {
  const { sizeBytes, logicalBlockBytes } = disk;
  const align = (offset: number): number => Math.floor(offset / logicalBlockBytes) * logicalBlockBytes;
  const end = align(sizeBytes);
  const within = (offset: number, length: number): Place => {
    const start = Math.min(Math.max(0, align(offset)), end);
    return { offset: start, length: Math.min(Math.ceil(length / logicalBlockBytes) * logicalBlockBytes, end - start) };
  };
  const edges = disk.partitionEdges
    .slice(0, maxPartitionEdges)
    .flatMap((edge) => [within(edge, partitionSampleBytes), within(edge - partitionSampleBytes, partitionSampleBytes)]);
  const blocks = Math.max(1, Math.floor(end / Math.max(logicalBlockBytes, randomSampleBytes)));
  const random = Array.from({ length: randomSampleCount(sizeBytes) }, () =>
    within(randomBlock(entropy, blocks) * Math.max(logicalBlockBytes, randomSampleBytes), randomSampleBytes),
  );
  const [first, last] = endsOf(disk);
  const places = [first, last, ...edges, ...random].filter((place) => place.length > 0);
  const unique = new Map(places.map((place) => [`${place.offset}+${place.length}`, place]));
  return [...unique.values()].sort((a, b) => a.offset - b.offset || a.length - b.length);
}

/** `Entropy.int` reaches to 2^48: enough for blocks of 4 KiB on an exabyte. */
function randomBlock(entropy: Entropy, blocks: number): number {
  return entropy.int(Math.min(blocks, 2 ** 48 - 1));
}

/** The first and the last MiB, or as much of it as there is. */
export function endsOf({ sizeBytes, logicalBlockBytes }: SampledDisk): readonly [Place, Place] {
  const end = Math.floor(sizeBytes / logicalBlockBytes) * logicalBlockBytes;
  const edge = Math.ceil(edgeBytes / logicalBlockBytes) * logicalBlockBytes;
  const length = Math.min(edge, end);
  return [
    { offset: 0, length },
    { offset: end - length, length },
  ];
}

/**
 * Holds what is read after a wipe against what the method promised.
 *
 * @param before of the same places, in the same order
 * @returns why the wipe does not count, in words; undefined when it does
 */
export function disproof(
  before: readonly Sample[],
  after: readonly Sample[],
  promise: 'zero' | 'changed',
): string | undefined {
  if (before.length !== after.length) return `${after.length} of ${before.length} samples were read`;
  for (const [index, sample] of after.entries()) {
    const where = `at byte ${sample.place.offset}`;
    if ('error' in sample) return `cannot be read back ${where}: ${sample.error}`;
    if (promise === 'zero') {
      if (sample.uniform !== 0) return `${where} there is no zero, but ${describe(sample.uniform)}`;
      continue;
    }
    const old = before[index];
    // What was blank before, or could not be read, proves nothing by being the same now.
    if (old === undefined || 'error' in old || old.uniform !== undefined) continue;
    if (old.sha256 === sample.sha256) return `${where} there still is what was there before`;
  }
  return undefined;
}

/** Samples that had something in them: only these can show that it is gone. */
export function telling(samples: readonly Sample[]): Sample[] {
  return samples.filter((sample) => !('error' in sample) && sample.uniform === undefined);
}

function describe(uniform: number | undefined): string {
  return uniform === undefined ? 'other content' : `0x${uniform.toString(16).padStart(2, '0')}`;
}
