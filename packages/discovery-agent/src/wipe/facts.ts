/** What the wipe knows about a disk before it plans anything. All of it is read by `probe.ts`; planning reads nothing. */

export interface DiskFacts {
  /** Device node: `/dev/nvme0n1`. */
  readonly device: string;
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly rotational: boolean;
  readonly readOnly: boolean;
  /** Removable medium, or attached by USB: virtual media of a BMC look like that. */
  readonly removable: boolean;
  /** Reached over a network. */
  readonly remote: boolean;
  readonly use: DiskUse;
  /** The volume that a RAID controller shows instead of its disks: commands for disks end at the controller. */
  readonly raidVolume: boolean;
  /** The kernel can discard, and after that the device promises to read zeroes (RZAT, LBPRZ, DLFEAT). */
  readonly discardZeroes: boolean;
  /** The device has a command that writes zeroes without their being sent. */
  readonly writeZeroes: boolean;
  /** Byte offsets where partitions begin and the byte after their ends, as the kernel sees the partition table. */
  readonly partitionEdges: readonly number[];
  readonly kind: DiskKind;
  /** What could not be found out, in words: a capability that is not known is not used. */
  readonly problems: readonly string[];
}

export type DiskUse =
  | { readonly kind: 'free' }
  /** The running system was started from it. */
  | { readonly kind: 'boot'; readonly by: string }
  /** Mounted, swapped to, or part of something that is assembled. */
  | { readonly kind: 'busy'; readonly by: string };

export type DiskKind =
  | { readonly bus: 'nvme'; readonly namespace: NvmeNamespace }
  | {
      readonly bus: 'ata';
      readonly security: AtaSecurity;
      readonly sanitize: AtaSanitize;
      /** Sectors behind the last visible one, in a host protected area: only the disk itself reaches them. */
      readonly hiddenSectors: number;
    }
  | { readonly bus: 'scsi'; readonly sanitize: ScsiSanitize }
  | { readonly bus: 'other' };

export interface NvmeNamespace {
  /** What a sanitize would reach: all namespaces with the same key. */
  readonly subsystem: string;
  readonly nsid: number;
  /** How its blocks are laid out, which a format has to keep; undefined where the namespace did not tell. */
  readonly layout: NvmeLayout | undefined;
}

export interface NvmeLayout {
  /** Index of the LBA format in use. */
  readonly lbaFormat: number;
  /** Type of end-to-end protection, 0 for none. */
  readonly protection: number;
  /** Protection information is in the first bytes of the metadata, not the last. */
  readonly protectionFirst: boolean;
  /** Metadata follows each block's data instead of having a buffer of its own. */
  readonly metadataInline: boolean;
}

/** A controller, or several of one subsystem, as far as wiping its namespaces goes. */
export interface NvmeSubsystem {
  readonly key: string;
  /** Character device of a controller: `/dev/nvme0`. */
  readonly controller: string;
  readonly sanitizeCrypto: boolean;
  readonly sanitizeBlock: boolean;
  readonly format: boolean;
  /** Format NVM destroys every namespace, not only the one that it names. */
  readonly formatHitsAll: boolean;
  readonly cryptoFormat: boolean;
  readonly sanitizeState: NvmeSanitizeState;
  /** Seconds that the controller announces; undefined where it does not. */
  readonly sanitizeSeconds: SanitizeSeconds;
  /** Namespaces that exist, but have no block device here. */
  readonly hiddenNamespaces: readonly number[];
  readonly problems: readonly string[];
}

export interface SanitizeSeconds {
  readonly crypto: number | undefined;
  readonly block: number | undefined;
}

export const NvmeSanitizeState = {
  Idle: 'idle',
  InProgress: 'in-progress',
  /** The last one failed, and the media cannot be read or written until another one is begun, or the mode is left. */
  Failed: 'failed',
} as const;
export type NvmeSanitizeState = (typeof NvmeSanitizeState)[keyof typeof NvmeSanitizeState];

export interface AtaSecurity {
  readonly supported: boolean;
  /** A password is set. */
  readonly enabled: boolean;
  readonly locked: boolean;
  readonly frozen: boolean;
  readonly enhanced: boolean;
  /** As the disk announces it, like the next. */
  readonly eraseSeconds: number | undefined;
  readonly enhancedSeconds: number | undefined;
}

export interface AtaSanitize {
  readonly crypto: boolean;
  readonly block: boolean;
  readonly overwrite: boolean;
  readonly inProgress: boolean;
}

export interface ScsiSanitize {
  readonly crypto: boolean;
  readonly block: boolean;
  readonly overwrite: boolean;
}

export interface WipeFacts {
  readonly disks: readonly DiskFacts[];
  readonly subsystems: readonly NvmeSubsystem[];
}
