import { leaseEntry, type LeaseEntry } from './lease.ts';

const NEVER = 2 ** 32 - 1;
const MAX_COLUMNS = 64;
const DEFAULT_STATE = '0';

/**
 * Reads the CSV of Kea's memfile backend line by line, for IPv4 and IPv6: the columns by their names in the first line,
 * since their number differs from version to version. Kea writes commas in a field as `&#x2c`.
 */
export class KeaLeases {
  #columns: ReadonlyMap<string, number> | undefined;

  /** Throws an Error when the file is none of Kea's. */
  line(text: string): LeaseEntry | undefined {
    const fields = text.replace(/\r$/, '').split(',', MAX_COLUMNS);
    if (this.#columns === undefined) {
      this.#columns = new Map(fields.map((name, at) => [name, at]));
      const missing = ['address', 'hwaddr', 'valid_lifetime', 'expire', 'state'].filter(
        (name) => this.#columns?.has(name) !== true,
      );
      if (missing.length > 0) throw new Error(`its first line does not name ${missing.join(', ')}`);
      return undefined;
    }
    // A line that is cut off has fewer.
    if (fields.length < this.#columns.size) return undefined;
    const field = (name: string): string => fields[this.#columns?.get(name) ?? -1] ?? '';
    const [lifetime, expire] = [Number(field('valid_lifetime')), Number(field('expire'))];
    // Released ones are written with a lifetime of 0; other states: declined, reclaimed.
    const isGiven = lifetime > 0 && Number.isFinite(expire) && field('state') === DEFAULT_STATE;
    const expiresMs = lifetime === NEVER ? Number.POSITIVE_INFINITY : expire * 1000;
    return leaseEntry(field('address'), field('hwaddr'), expiresMs, isGiven);
  }
}
