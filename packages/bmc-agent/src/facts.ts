import { BmcError, BmcErrorCode, reasonOf } from './errors.ts';

/** Part and serial numbers, by the names of `metalstack.api.v2.MachineFRU`. */
export interface Fru {
  readonly chassisPartNumber?: string;
  readonly chassisPartSerial?: string;
  readonly boardMfg?: string;
  readonly boardMfgSerial?: string;
  readonly boardPartNumber?: string;
  readonly productManufacturer?: string;
  readonly productPartNumber?: string;
  readonly productSerial?: string;
}

/** What the machine draws, in watts, over the last `intervalInMin` minutes. */
export interface PowerMetric {
  readonly averageConsumedWatts: number;
  readonly intervalInMin: number;
  readonly maxConsumedWatts: number;
  readonly minConsumedWatts: number;
}

/** In Redfish's words (DSP0268, Status), also for what IPMI says: `OK`, `Warning`, `Critical`; `Enabled`, `Absent`, … */
export interface PowerSupply {
  readonly health: string;
  readonly state: string;
}

/** What a BMC can tell besides the power state. */
export interface Facts {
  /** Whether the identify LED is lit or blinks. */
  readonly isLit: boolean;
  /** Of the BMC's firmware. */
  readonly version: string;
  readonly biosVersion: string;
  readonly fru: Fru;
  readonly powerMetric: PowerMetric;
  readonly powerSupplies: readonly PowerSupply[];
}

export interface MissingFact {
  readonly fact: keyof Facts;
  readonly reason: string;
}

/** What a BMC has told, and why the rest is missing. */
export interface BmcFacts extends Partial<Facts> {
  readonly isOn: boolean;
  /** Of the machine, where the BMC says it. */
  readonly uuid?: string;
  readonly missing: readonly MissingFact[];
}

/** Reads one fact; rejects with a BmcError that says why it cannot be read. */
export type FactReaders = { readonly [Fact in keyof Facts]: () => Promise<Facts[Fact]> };

/** After these nothing else is asked: each further question would wait as long again. */
const ENDS_ALL: ReadonlySet<BmcErrorCode> = new Set([
  BmcErrorCode.Unreachable,
  BmcErrorCode.Timeout,
  BmcErrorCode.Ipmitool,
  BmcErrorCode.Certificate,
]);

/** Reads one fact after the other: BMCs answer one question at a time. A fact that cannot be read costs only itself. */
export async function readFacts(isOn: boolean, readers: FactReaders): Promise<BmcFacts> {
  const missing: MissingFact[] = [];
  let given: string | undefined;
  const read = async <Fact extends keyof Facts>(fact: Fact): Promise<Partial<Pick<Facts, Fact>>> => {
    if (given !== undefined) {
      missing.push({ fact, reason: given });
      return {};
    }
    try {
      const value = await readers[fact]();
      const found: Partial<Pick<Facts, Fact>> = {};
      found[fact] = value;
      return found;
    } catch (error) {
      if (error instanceof BmcError && ENDS_ALL.has(error.code)) given = error.message;
      missing.push({ fact, reason: reasonOf(error) });
      return {};
    }
  };
  return {
    isOn,
    ...(await read('isLit')),
    ...(await read('powerMetric')),
    ...(await read('version')),
    ...(await read('biosVersion')),
    ...(await read('fru')),
    ...(await read('powerSupplies')),
    missing,
  };
}

const MAX_TEXT = 256;
/** A BMC that tells of more makes them up. */
export const MAX_SUPPLIES = 16;

/** What a BMC says of itself goes to logs and the API: one line of at most 256 characters, without control characters. */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\uFFFD\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}

/** For a fact that a BMC, or its protocol, does not have. */
export function untold(words: string): BmcError {
  return new BmcError(BmcErrorCode.Unsupported, words);
}
