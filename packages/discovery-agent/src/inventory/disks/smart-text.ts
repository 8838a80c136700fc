import type { Told } from '../told.ts';
import type { DiskSmart } from './disk.ts';

/**
 * Arguments of smartctl for what `parseSmart` reads: health, attributes, and the standard's statistics, which have the wear
 * of SATA SSDs.
 */
export const smartArguments: readonly string[] = ['--json=c', '-H', '-A', '-l', 'devstat'];

/**
 * smartctl's status is a set of bits. It could not be called (0) or the disk not be opened (1): no answer. All others say
 * something about the disk, or that it lacks one of the things asked for.
 */
export const isSmartAnswer = (status: number): boolean => (status & 0b11) === 0;

/** ATA attributes by their numbers, whose raw values vendors agree on. */
const reallocated = 5;
const offlineUncorrectable = 198;
/** Solid State Device Statistics, Percentage Used Endurance Indicator (ACS-4 9.5.10). */
const solidStatePage = 7;
const percentageUsedAt = 8;

/** Reads smartctl's JSON, of version 7 on. What the disk does not tell is left out. */
export function parseSmart(text: string): Told<DiskSmart> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'smartctl cannot be read: it is no JSON' };
  }
  const passed = at(parsed, 'smart_status', 'passed');
  const temperature = count(at(parsed, 'temperature', 'current'));
  const attribute = (id: number): number | undefined =>
    count(at(entry(at(parsed, 'ata_smart_attributes', 'table'), 'id', id), 'raw', 'value'));
  const uncorrected = ['read', 'write', 'verify'].flatMap(
    (kind) => count(at(parsed, 'scsi_error_counter_log', kind, 'total_uncorrected_errors')) ?? [],
  );
  const smart: Record<keyof DiskSmart, boolean | number | undefined> = {
    passed: typeof passed === 'boolean' ? passed : undefined,
    // 0 is what disks say that do not measure it.
    temperatureCelsius: temperature === 0 ? undefined : temperature,
    powerOnHours: count(at(parsed, 'power_on_time', 'hours')),
    percentageUsed:
      count(at(parsed, 'scsi_percentage_used_endurance_indicator')) ??
      count(at(statistic(parsed, solidStatePage, percentageUsedAt), 'value')),
    reallocatedSectors: attribute(reallocated) ?? count(at(parsed, 'scsi_grown_defect_list')),
    uncorrectedErrors:
      attribute(offlineUncorrectable) ??
      (uncorrected.length === 0 ? undefined : uncorrected.reduce((sum, each) => sum + each, 0)),
  };
  const told: DiskSmart = Object.fromEntries(Object.entries(smart).filter(([, value]) => value !== undefined));
  return Object.keys(told).length === 0
    ? { ok: false, reason: `smartctl: ${complaint(parsed) ?? 'the disk tells nothing of its health'}` }
    : { ok: true, value: told };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined;
    current = Object.entries(current).find(([key]) => key === name)?.[1];
  }
  return current;
}

function entry(table: unknown, key: string, wanted: number): unknown {
  return Array.isArray(table) ? table.find((each: unknown) => at(each, key) === wanted) : undefined;
}

function statistic(parsed: unknown, page: number, offset: number): unknown {
  const table = at(entry(at(parsed, 'ata_device_statistics', 'pages'), 'number', page), 'table');
  const found = entry(table, 'offset', offset);
  return at(found, 'flags', 'valid') === false ? undefined : found;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function complaint(parsed: unknown): string | undefined {
  const messages = at(parsed, 'smartctl', 'messages');
  const first: unknown = Array.isArray(messages) ? messages[0] : undefined;
  const words = at(first, 'string');
  return typeof words === 'string' ? words : undefined;
}
