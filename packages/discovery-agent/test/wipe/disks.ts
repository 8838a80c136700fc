import { NvmeSanitizeState } from '../../src/wipe/facts.ts';
import type { AtaSanitize, AtaSecurity, DiskFacts, NvmeSubsystem, WipeFacts } from '../../src/wipe/facts.ts';

/** Facts of disks as they are sold, to be varied. */

export const blockIo: readonly string[] = ['/usr/bin/node', '/agent.mjs', 'block-io'];

const gib = 2 ** 30;

export function disk(device: string, change: Partial<DiskFacts> = {}): DiskFacts {
  return {
    device,
    sizeBytes: 512 * gib,
    logicalBlockBytes: 512,
    rotational: false,
    readOnly: false,
    removable: false,
    remote: false,
    use: { kind: 'free' },
    raidVolume: false,
    discardZeroes: false,
    writeZeroes: false,
    partitionEdges: [],
    kind: { bus: 'other' },
    problems: [],
    ...change,
  };
}

export function namespace(device: string, nsid: number, change: Partial<DiskFacts> = {}): DiskFacts {
  const layout = { lbaFormat: 0, protection: 0, protectionFirst: false, metadataInline: false };
  const kind = { bus: 'nvme' as const, namespace: { subsystem: 'nvme-subsys0', nsid, layout } };
  return disk(device, { discardZeroes: true, writeZeroes: true, kind, ...change });
}

/** A controller that can do everything, each namespace by itself. */
export function subsystem(change: Partial<NvmeSubsystem> = {}): NvmeSubsystem {
  return {
    key: 'nvme-subsys0',
    controller: '/dev/nvme0',
    sanitizeCrypto: true,
    sanitizeBlock: true,
    format: true,
    formatHitsAll: false,
    cryptoFormat: true,
    sanitizeState: NvmeSanitizeState.Idle,
    sanitizeSeconds: { crypto: 4, block: 120 },
    hiddenNamespaces: [],
    problems: [],
    ...change,
  };
}

const ataSecurity: AtaSecurity = {
  supported: true,
  enabled: false,
  locked: false,
  frozen: false,
  enhanced: true,
  eraseSeconds: 240,
  enhancedSeconds: 120,
};

const noSanitize: AtaSanitize = { crypto: false, block: false, overwrite: false, inProgress: false };

export function ata(
  device: string,
  security: Partial<AtaSecurity> = {},
  sanitize: Partial<AtaSanitize> = {},
  change: Partial<DiskFacts> = {},
  hiddenSectors = 0,
): DiskFacts {
  const kind = {
    bus: 'ata' as const,
    security: { ...ataSecurity, ...security },
    sanitize: { ...noSanitize, ...sanitize },
    hiddenSectors,
  };
  return disk(device, { discardZeroes: true, kind, ...change });
}

export function facts(disks: readonly DiskFacts[], subsystems: readonly NvmeSubsystem[] = []): WipeFacts {
  return { disks, subsystems };
}
