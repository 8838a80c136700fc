import * as z from 'zod/mini';
import { NvmeSanitizeState } from './facts.ts';
import type { NvmeLayout, SanitizeSeconds } from './facts.ts';

/** Readers of `nvme … -o json`. Each gives undefined for what it cannot read. Bits as in NVMe base specification 2.0. */

/** What Identify Controller (CNS 01h) says about erasing. */
export interface NvmeController {
  readonly sanitizeCrypto: boolean;
  readonly sanitizeBlock: boolean;
  readonly format: boolean;
  readonly formatHitsAll: boolean;
  readonly cryptoFormat: boolean;
}

const uint = z.number().check(z.int(), z.nonnegative());

const controllerSchema = z.object({ oacs: uint, fna: uint, sanicap: uint });

export function parseNvmeController(text: string): NvmeController | undefined {
  const read = parse(controllerSchema, text);
  if (read === undefined) return undefined;
  const { oacs, fna, sanicap } = read;
  return {
    sanitizeCrypto: (sanicap & 1) !== 0,
    sanitizeBlock: (sanicap & 2) !== 0,
    format: (oacs & 2) !== 0,
    // Bit 0 is about every format, bit 1 about secure erase, which is the only use made of format here.
    formatHitsAll: (fna & 3) !== 0,
    cryptoFormat: (fna & 4) !== 0,
  };
}

const namespaceSchema = z.object({ flbas: uint, dps: uint, dlfeat: uint, nsattr: uint });

export interface NvmeNamespaceIdentity {
  readonly layout: NvmeLayout;
  /** Currently write protected (NSATTR bit 0). */
  readonly writeProtected: boolean;
  /** Deallocated blocks read as zeroes (DLFEAT bits 2:0 = 001b). */
  readonly discardZeroes: boolean;
}

export function parseNvmeNamespace(text: string): NvmeNamespaceIdentity | undefined {
  const read = parse(namespaceSchema, text);
  if (read === undefined) return undefined;
  const { flbas, dps, dlfeat, nsattr } = read;
  return {
    layout: {
      // Bits 6:5 extend the index since 2.0; before they were reserved, thus zero.
      lbaFormat: (flbas & 0xf) | ((flbas & 0x60) >> 1),
      protection: dps & 7,
      protectionFirst: (dps & 8) !== 0,
      metadataInline: (flbas & 0x10) !== 0,
    },
    writeProtected: (nsattr & 1) !== 0,
    discardZeroes: (dlfeat & 7) === 1,
  };
}

const listSchema = z.object({ nsid_list: z.array(z.object({ nsid: uint })) });

/** Namespace ids of `nvme list-ns`. */
export function parseNvmeNamespaceList(text: string): readonly number[] | undefined {
  return parse(listSchema, text)?.nsid_list.map(({ nsid }) => nsid);
}

const sanitizeSchema = z.object({
  sprog: uint,
  sstat: z.object({ status: z.string() }),
  time_block_erase: uint,
  time_crypto_erase: uint,
});

const sanitizeStates: Readonly<Record<string, NvmeSanitizeState>> = {
  '2': NvmeSanitizeState.InProgress,
  '3': NvmeSanitizeState.Failed,
};

export interface NvmeSanitizeLog {
  readonly state: NvmeSanitizeState;
  /** 0 to 1, while in progress. */
  readonly fraction: number;
  readonly seconds: SanitizeSeconds;
}

/** The log under the controller's name, the only key of the object: `{"nvme0": {…}}`. */
export function parseNvmeSanitizeLog(text: string): NvmeSanitizeLog | undefined {
  const log = Object.values(parse(z.record(z.string(), z.unknown()), text) ?? {}).at(0);
  const read = z.safeParse(sanitizeSchema, log);
  if (!read.success) return undefined;
  // SSTAT bits 2:0 as nvme-cli prints them: "(2) Sanitize in Progress."
  const status = /^\(([0-4])\)/.exec(read.data.sstat.status)?.[1];
  if (status === undefined) return undefined;
  return {
    state: sanitizeStates[status] ?? NvmeSanitizeState.Idle,
    fraction: Math.min(read.data.sprog, 0xffff) / 0x1_0000,
    seconds: {
      crypto: announced(read.data.time_crypto_erase),
      block: announced(read.data.time_block_erase),
    },
  };
}

/** All ones: no time is reported. */
function announced(seconds: number): number | undefined {
  return seconds === 0xffff_ffff ? undefined : seconds;
}

function parse<T extends z.ZodMiniType>(schema: T, text: string): z.output<T> | undefined {
  try {
    const read = z.safeParse(schema, JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
