/** A program and its arguments: executed as they are, never through a shell. */
export type Argv = readonly string[];

export const MethodName = {
  NvmeSanitizeCrypto: 'nvme-sanitize-crypto',
  NvmeSanitizeBlock: 'nvme-sanitize-block',
  NvmeFormatCrypto: 'nvme-format-crypto',
  NvmeFormatErase: 'nvme-format-erase',
  AtaSanitizeCrypto: 'ata-sanitize-crypto',
  AtaSanitizeBlock: 'ata-sanitize-block',
  AtaSanitizeOverwrite: 'ata-sanitize-overwrite',
  AtaEraseEnhanced: 'ata-secure-erase-enhanced',
  AtaErase: 'ata-secure-erase',
  ScsiSanitizeCrypto: 'scsi-sanitize-crypto',
  ScsiSanitizeBlock: 'scsi-sanitize-block',
  ScsiSanitizeOverwrite: 'scsi-sanitize-overwrite',
  Discard: 'discard',
  WriteZeroes: 'write-zeroes',
  Overwrite: 'overwrite',
} as const;
export type MethodName = (typeof MethodName)[keyof typeof MethodName];

/** A disk that sanitizes itself goes on when the command has returned, when we die, and after a loss of power. */
export type SanitizeKind = 'nvme-sanitize' | 'ata-sanitize';

/** One way to wipe, to be tried as a whole. */
export interface Method {
  readonly name: MethodName;
  /** In this order; the method has failed when one of them fails. */
  readonly commands: readonly Argv[];
  /** What is still to be waited for when the commands have returned. */
  readonly completion: 'commands' | SanitizeKind;
  /** Run when the method fails half way, so that the next one finds a usable disk. */
  readonly undo: readonly Argv[];
  /**
   * What must be read afterwards: zeroes everywhere, or nothing that was there before. A destroyed key leaves noise, a
   * block erase whatever the maker's cells are when empty.
   */
  readonly promise: 'zero' | 'changed';
  readonly estimateSeconds: number;
  /** Hangs when it takes longer. */
  readonly deadlineSeconds: number;
}

/** Times of commands that tell none, in seconds: from data sheets and the field, generous. */
const shortest = { estimateSeconds: 10, deadlineSeconds: 600 } as const;

/** Room for a disk that is slower than it says, or than anyone thinks. */
const deadlineFactor = 4;

/** Bytes per second that a disk at work takes at least, for estimates. */
const streamingSpeed = { rotational: 120e6, solid: 400e6 } as const;

export interface MethodInit extends Pick<Method, 'name' | 'commands' | 'promise'> {
  readonly completion?: Method['completion'];
  readonly undo?: readonly Argv[];
  /** Undefined where nobody knows: then it may take as long as half a day. */
  readonly estimateSeconds: number | undefined;
}

const unannounced = { estimateSeconds: 1800, deadlineSeconds: 43_200 } as const;

export function method({ estimateSeconds, completion, undo, ...rest }: MethodInit): Method {
  const known = estimateSeconds === undefined ? unannounced.estimateSeconds : estimateSeconds;
  return {
    ...rest,
    completion: completion ?? 'commands',
    undo: undo ?? [],
    estimateSeconds: Math.max(shortest.estimateSeconds, Math.ceil(known)),
    deadlineSeconds:
      estimateSeconds === undefined
        ? unannounced.deadlineSeconds
        : Math.max(shortest.deadlineSeconds, Math.ceil(estimateSeconds * deadlineFactor)),
  };
}

/** Seconds to stream over a whole disk. */
export function streamSeconds(sizeBytes: number, rotational: boolean): number {
  return sizeBytes / (rotational ? streamingSpeed.rotational : streamingSpeed.solid);
}
