import { reasonOf } from '../../errors.ts';
import type { Told } from '../told.ts';
import type { DiskHealth, LbaFormat } from './disk.ts';

/** Bits of Critical Warning (NVM Express Base Specification 2.0, figure 207). */
const criticalWarnings = [
  'spare blocks run out',
  'temperature out of range',
  'reliability degraded by media errors',
  'media is read-only',
  'backup of volatile memory failed',
  'persistent memory region is unreliable',
] as const;

/** As 273.15, but firmware converts with whole numbers, and so does nvme-cli. */
const zeroCelsiusInKelvin = 273;

/** `nvme smart-log -o json` of nvme-cli 1 and 2, also with `-v`. */
export function parseSmartLog(text: string): Told<DiskHealth> {
  return parseObject('smart-log', text, (field) => {
    const warning = field('critical_warning');
    return {
      warnings: criticalWarnings.filter((_, bit) => ((warning >> bit) & 1) === 1),
      percentageUsed: field('percent_used'),
      availableSpare: field('avail_spare'),
      availableSpareThreshold: field('spare_thresh'),
      temperatureCelsius: field('temperature') - zeroCelsiusInKelvin,
      powerOnHours: field('power_on_hours'),
      unsafeShutdowns: field('unsafe_shutdowns'),
      mediaErrors: field('media_errors'),
    };
  });
}

/** NLBAF is at most 63 (NVM Command Set Specification 1.0, figure 97). */
const maxLbaFormats = 64;
/** 2^9 is the smallest that the specification has; more than 2^24 is no sector. */
const sectorBits = { min: 9, max: 24 };

/** `nvme id-ns -o json`. Formats that the namespace has no use for are not listed. */
export function parseIdNs(text: string): Told<readonly LbaFormat[]> {
  return parseObject('id-ns', text, (field, object) => {
    const flbas = field('flbas');
    // The lower four bits, and two more from bit 5 on where there are more than 16 formats.
    const current = (flbas & 0xf) | ((flbas >> 1) & 0x30);
    const list: unknown = object['lbafs'];
    if (!Array.isArray(list)) throw new Error('it lacks lbafs');
    return list.slice(0, maxLbaFormats).flatMap((entry: unknown, index) => {
      const bits = isObject(entry) ? countOf(entry['ds']) : undefined;
      const metadataBytes = isObject(entry) ? countOf(entry['ms']) : undefined;
      if (bits === undefined || metadataBytes === undefined || bits < sectorBits.min || bits > sectorBits.max)
        return [];
      return [{ index, dataBytes: 2 ** bits, metadataBytes, inUse: index === current }];
    });
  });
}

type Json = Readonly<Record<string, unknown>>;
type Field = (name: string) => number;

function parseObject<T>(command: string, text: string, read: (field: Field, object: Json) => T): Told<T> {
  const refuse = (why: string): Told<T> => ({ ok: false, reason: `nvme ${command} cannot be read: ${why}` });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse('it is no JSON');
  }
  if (!isObject(parsed)) return refuse('it is no object');
  const object = parsed;
  const field = (name: string): number => {
    const count = Object.hasOwn(object, name) ? countOf(object[name]) : undefined;
    if (count === undefined) throw new Error(`it lacks ${name}`);
    return count;
  };
  try {
    return { ok: true, value: read(field, object) };
  } catch (error) {
    return refuse(reasonOf(error));
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** 128-bit counters are printed as text by some versions; `-v` makes objects of bit fields. */
function countOf(value: unknown): number | undefined {
  const inner: unknown = isObject(value) ? value['value'] : value;
  if (typeof inner === 'string' && /^\d{1,40}$/.test(inner)) return Number(inner);
  return typeof inner === 'number' && Number.isFinite(inner) && inner >= 0 ? inner : undefined;
}
