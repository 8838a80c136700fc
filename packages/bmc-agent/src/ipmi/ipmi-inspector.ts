import type { Clock } from '@ingot/net';
import { BmcError, BmcErrorCode } from '../errors.ts';
import {
  MAX_SUPPLIES,
  printable,
  readFacts,
  untold,
  type BmcFacts,
  type Fru,
  type PowerMetric,
  type PowerSupply,
} from '../facts.ts';
import { keep, type Kept } from '../kept.ts';
import type { BmcTarget } from '../target.ts';
import type { Ipmi } from './ipmi-session.ts';

/**
 * What changes with a screwdriver or an update only, and is slow to read: some BMCs take half a minute for the list of
 * their sensors.
 */
export interface IpmiKnowledge {
  readonly version: Kept<string>;
  readonly fru: Kept<Fru>;
  /** The numbers of the sensors of power supplies. */
  readonly supplySensors: Kept<readonly number[]>;
}

const KNOWN_MS = 3_600_000;

export function createIpmiKnowledge(clock: Clock): IpmiKnowledge {
  return { version: keep(clock, KNOWN_MS), fru: keep(clock, KNOWN_MS), supplySensors: keep(clock, KNOWN_MS) };
}

// IPMI 2.0, table 28-3, Get Chassis Status; 35.14, Get Sensor Reading. DCMI 1.5, table 6-16, Get Power Reading, mode 1.
const GET_CHASSIS_STATUS = [0x00, 0x01] as const;
const GET_SENSOR_READING = [0x04, 0x2d] as const;
const GET_POWER_READING = [0x2c, 0x02, 0xdc, 0x01, 0x00, 0x00] as const;
const DCMI = 0xdc;

/** The look at all that IPMI tells: chassis, firmware, FRU, DCMI's power reading, the sensors of power supplies. */
export function ipmiInspector(ipmi: Ipmi, target: BmcTarget, knowledge: IpmiKnowledge): () => Promise<BmcFacts> {
  const raw = async (request: readonly number[]): Promise<readonly number[]> =>
    bytesOf(await ipmi('raw', ...request.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`)));
  return async () => {
    const [power, , misc = 0] = await raw(GET_CHASSIS_STATUS);
    if (power === undefined)
      throw new BmcError(BmcErrorCode.Answer, `the BMC at ${target.name} does not say whether the machine is on`);
    return readFacts((power & 0x01) !== 0, {
      isLit() {
        if ((misc & 0x40) === 0) throw untold('the BMC does not say whether its identify LED is lit');
        return Promise.resolve((misc & 0x30) !== 0);
      },
      powerMetric: async () => powerMetricOf(await raw(GET_POWER_READING)),
      version: () => knowledge.version(async () => versionOf(await ipmi('mc', 'info'))),
      biosVersion: () => Promise.reject(untold('IPMI has no word for the version of the BIOS: Redfish does')),
      fru: () => knowledge.fru(async () => fruOf(await ipmi('fru', 'print', '0'))),
      async powerSupplies() {
        const sensors = await knowledge.supplySensors(async () => sensorsOf(await ipmi('sdr', 'type', '0x08')));
        const supplies: PowerSupply[] = [];
        for (const sensor of sensors) supplies.push(supplyOf(await raw([...GET_SENSOR_READING, sensor])));
        return supplies;
      },
    });
  };
}

/** ipmitool prints an answer as ` 01 0a ff`, sixteen bytes to a line. */
function bytesOf(printed: string): readonly number[] {
  const lines = printed.split('\n').filter((line) => /^(?: [0-9a-f]{2})+\s*$/.test(line));
  return lines.flatMap((line) => line.trim().split(' ')).map((byte) => Number.parseInt(byte, 16));
}

function powerMetricOf(answer: readonly number[]): PowerMetric {
  const bytes = Uint8Array.from(answer);
  // Bit 6 of the last byte: the BMC measures.
  if (bytes.length < 18 || bytes[0] !== DCMI || ((bytes[17] ?? 0) & 0x40) === 0)
    throw untold('the BMC does not measure what the machine draws');
  const view = new DataView(bytes.buffer);
  return {
    minConsumedWatts: view.getUint16(3, true),
    maxConsumedWatts: view.getUint16(5, true),
    averageConsumedWatts: view.getUint16(7, true),
    intervalInMin: view.getUint32(13, true) / 60_000,
  };
}

function versionOf(printed: string): string {
  const version = printable(/^Firmware Revision\s*:(.*)$/m.exec(printed)?.[1] ?? '');
  if (version === '') throw new BmcError(BmcErrorCode.Answer, 'the BMC does not say the version of its firmware');
  return version;
}

const FRU_FIELDS: ReadonlyMap<string, keyof Fru> = new Map([
  ['Chassis Part Number', 'chassisPartNumber'],
  ['Chassis Serial', 'chassisPartSerial'],
  ['Board Mfg', 'boardMfg'],
  ['Board Serial', 'boardMfgSerial'],
  ['Board Part Number', 'boardPartNumber'],
  ['Product Manufacturer', 'productManufacturer'],
  ['Product Part Number', 'productPartNumber'],
  ['Product Serial', 'productSerial'],
]);

/** The first of each: what follows the BMC's own areas is of no interest. */
function fruOf(printed: string): Fru {
  const fru: Partial<Record<keyof Fru, string>> = {};
  for (const line of printed.split('\n')) {
    const [name = '', ...rest] = line.split(':');
    const field = FRU_FIELDS.get(name.trim());
    const text = printable(rest.join(':'));
    if (field !== undefined && text !== '') fru[field] ??= text;
  }
  if (Object.keys(fru).length === 0) throw new BmcError(BmcErrorCode.Answer, 'the FRU of the BMC is empty');
  return fru;
}

/** `PSU1 Status      | 85h | ok  | 10.1 | Presence detected` */
function sensorsOf(printed: string): readonly number[] {
  const numbers = [...printed.matchAll(/^[^|]*\|\s*([0-9A-F]{2})h\s*\|/gim)].map((match) =>
    Number.parseInt(match[1] ?? '', 16),
  );
  if (numbers.length === 0) throw untold('the BMC has no sensors of power supplies');
  return [...new Set(numbers)].slice(0, MAX_SUPPLIES);
}

/** IPMI 2.0, table 42-3, sensor type 08h. */
const PRESENT = 0x01;
const BROKEN = 0x02 | 0x08 | 0x10; // failure; input lost, or not sound
const AILING = 0x04 | 0x20 | 0x40; // failure predicted; input out of range; wrong configuration
const STANDS_BY = 0x80;

/** Get Sensor Reading: the second byte says whether there is a reading, the third has the states. */
function supplyOf([, flags = 0, states = 0]: readonly number[]): PowerSupply {
  if ((flags & 0x40) === 0 || (flags & 0x20) !== 0) return { health: '', state: 'UnavailableOffline' };
  if ((states & BROKEN) !== 0) return { health: 'Critical', state: 'Enabled' };
  if ((states & PRESENT) === 0) return { health: '', state: 'Absent' };
  if ((states & AILING) !== 0) return { health: 'Warning', state: 'Enabled' };
  return { health: 'OK', state: (states & STANDS_BY) === 0 ? 'Enabled' : 'StandbyOffline' };
}
