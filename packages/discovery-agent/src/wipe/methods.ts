import type { AtaSanitize, AtaSecurity, DiskFacts, NvmeLayout, NvmeSubsystem, ScsiSanitize } from './facts.ts';
import { method, MethodName, streamSeconds } from './method.ts';
import type { Argv, Method } from './method.ts';

/**
 * The user password that ATA wants to be set before it erases. The erase takes it away again; after one that was cut
 * off it stays, and the next run removes it. Nothing is kept secret with it, and it stands in the documentation, so that
 * anyone can unlock such a disk.
 */
export const ataErasePassword = 'ingot-wipe';

/** Of nvme-cli's `format`, whose own default is ten minutes; milliseconds. */
const formatTimeoutMs = 7_200_000;
/** Crypto erase is a matter of seconds, a block erase of a minute or two, whatever the size. */
const formatSeconds = { crypto: 30, erase: 300 } as const;
const sanitizeSeconds = { crypto: 60, block: 300 } as const;
/** So that a command can be ended in between: the kernel does each step without looking up. */
const discardStepBytes = 32 * 2 ** 30;
const zeroStepBytes = 2 ** 30;
/** Discarding is a matter of bookkeeping. */
const discardBytesPerSecond = 20e9;

/** Reach every namespace of the subsystem, best first. */
export function subsystemMethods(subsystem: NvmeSubsystem): Method[] {
  const sanitize = (name: MethodName, action: number, seconds: number | undefined, fallback: number): Method =>
    method({
      name,
      // AUSE: a sanitize that fails may be left again, and the disk be wiped another way.
      commands: [['nvme', 'sanitize', subsystem.controller, `--sanact=${action}`, '--ause']],
      completion: 'nvme-sanitize',
      undo: [['nvme', 'sanitize', subsystem.controller, '--sanact=1']],
      promise: 'changed',
      estimateSeconds: seconds ?? fallback,
    });
  const { crypto, block } = subsystem.sanitizeSeconds;
  return [
    ...(subsystem.sanitizeCrypto ? [sanitize(MethodName.NvmeSanitizeCrypto, 4, crypto, sanitizeSeconds.crypto)] : []),
    ...(subsystem.sanitizeBlock ? [sanitize(MethodName.NvmeSanitizeBlock, 2, block, sanitizeSeconds.block)] : []),
  ];
}

/** Through the controller's node: through the namespace's, nvme-cli insists on reading partitions while we hold it. */
export function formatMethods(subsystem: NvmeSubsystem, nsid: number, layout: NvmeLayout | undefined): Method[] {
  if (!subsystem.format || layout === undefined) return [];
  const format = (name: MethodName, secureErase: number, seconds: number): Method =>
    method({
      name,
      commands: [
        [
          'nvme',
          'format',
          subsystem.controller,
          `--namespace-id=${nsid}`,
          `--ses=${secureErase}`,
          `--lbaf=${layout.lbaFormat}`,
          `--pi=${layout.protection}`,
          `--pil=${layout.protectionFirst ? 1 : 0}`,
          `--ms=${layout.metadataInline ? 1 : 0}`,
          `--timeout=${formatTimeoutMs}`,
          '--force',
        ],
      ],
      promise: 'changed',
      estimateSeconds: seconds,
    });
  return [
    ...(subsystem.cryptoFormat ? [format(MethodName.NvmeFormatCrypto, 2, formatSeconds.crypto)] : []),
    format(MethodName.NvmeFormatErase, 1, formatSeconds.erase),
  ];
}

/** Sanitize first: it survives a loss of power by itself and leaves no password behind. */
export function ataMethods(disk: DiskFacts, security: AtaSecurity, sanitize: AtaSanitize): Method[] {
  const { device, rotational, sizeBytes } = disk;
  const sanitizeWith = (name: MethodName, args: Argv, promise: Method['promise'], seconds: number): Method =>
    method({
      name,
      commands: [['hdparm', '--yes-i-know-what-i-am-doing', ...args, device]],
      completion: 'ata-sanitize',
      promise,
      estimateSeconds: seconds,
    });
  const erase = (name: MethodName, option: string, seconds: number | undefined): Method =>
    method({
      name,
      commands: [withPassword('--security-set-pass', device), withPassword(option, device)],
      undo: [withPassword('--security-disable', device)],
      // ACS allows zeroes or ones, and a pattern of the maker's for the enhanced one.
      promise: 'changed',
      estimateSeconds: seconds,
    });
  const canErase = security.supported && !security.frozen;
  const { AtaSanitizeCrypto, AtaSanitizeBlock, AtaSanitizeOverwrite, AtaEraseEnhanced, AtaErase } = MethodName;
  const crypto = ['--sanitize-crypto-scramble'];
  const block = ['--sanitize-block-erase'];
  const overwrite = ['--sanitize-overwrite-passes', '1', '--sanitize-overwrite', 'hex:00000000'];
  return [
    ...(sanitize.crypto ? [sanitizeWith(AtaSanitizeCrypto, crypto, 'changed', sanitizeSeconds.crypto)] : []),
    ...(sanitize.block ? [sanitizeWith(AtaSanitizeBlock, block, 'changed', sanitizeSeconds.block)] : []),
    ...(canErase && security.enhanced
      ? [erase(AtaEraseEnhanced, '--security-erase-enhanced', security.enhancedSeconds)]
      : []),
    ...(canErase ? [erase(AtaErase, '--security-erase', security.eraseSeconds)] : []),
    ...(sanitize.overwrite && rotational
      ? [sanitizeWith(AtaSanitizeOverwrite, overwrite, 'zero', streamSeconds(sizeBytes, rotational))]
      : []),
  ];
}

/** Takes away a password that an earlier erase has left; undefined when there is none. */
export function ataPreparation(device: string, security: AtaSecurity): readonly Argv[] {
  if (!security.enabled) return [];
  const disable = withPassword('--security-disable', device);
  return security.locked ? [withPassword('--security-unlock', device), disable] : [disable];
}

function withPassword(option: string, device: string): Argv {
  return ['hdparm', '--user-master', 'u', option, ataErasePassword, device];
}

/** `sg_sanitize` waits until it is over. */
export function scsiMethods({ device, sizeBytes, rotational }: DiskFacts, sanitize: ScsiSanitize): Method[] {
  const { ScsiSanitizeCrypto, ScsiSanitizeBlock, ScsiSanitizeOverwrite } = MethodName;
  const sanitizeWith = (name: MethodName, args: Argv, promise: Method['promise'], seconds: number): Method =>
    method({
      name,
      commands: [['sg_sanitize', ...args, '--ause', '--quick', device]],
      promise,
      estimateSeconds: seconds,
    });
  const overwrite = ['--overwrite', '--zero'];
  return [
    ...(sanitize.crypto ? [sanitizeWith(ScsiSanitizeCrypto, ['--crypto'], 'changed', sanitizeSeconds.crypto)] : []),
    ...(sanitize.block ? [sanitizeWith(ScsiSanitizeBlock, ['--block'], 'changed', sanitizeSeconds.block)] : []),
    ...(sanitize.overwrite
      ? [sanitizeWith(ScsiSanitizeOverwrite, overwrite, 'zero', streamSeconds(sizeBytes, rotational))]
      : []),
  ];
}

/**
 * What works on every disk that can be written. Discard counts only where the device promises zeroes afterwards. A
 * rotating disk is written in full, since nothing else reaches its surface; so is a RAID volume, whose controller may
 * keep zeroes as a note.
 *
 * @param blockIo how this program starts itself to read and write blocks, see `block-io.ts`
 */
export function genericMethods(disk: DiskFacts, blockIo: Argv): Method[] {
  const { device, sizeBytes, rotational } = disk;
  const offload = !rotational && !disk.raidVolume;
  const zeroSeconds = streamSeconds(sizeBytes, rotational);
  return [
    ...(offload && disk.discardZeroes
      ? [
          method({
            name: MethodName.Discard,
            commands: [['blkdiscard', '--force', `--step=${discardStepBytes}`, device]],
            promise: 'zero',
            estimateSeconds: sizeBytes / discardBytesPerSecond,
          }),
        ]
      : []),
    ...(offload && disk.writeZeroes
      ? [
          method({
            name: MethodName.WriteZeroes,
            commands: [['blkdiscard', '--force', '--zeroout', `--step=${zeroStepBytes}`, device]],
            promise: 'zero',
            estimateSeconds: zeroSeconds,
          }),
        ]
      : []),
    method({
      name: MethodName.Overwrite,
      commands: [[...blockIo, device]],
      promise: 'zero',
      estimateSeconds: zeroSeconds,
    }),
  ];
}
