import { isIP } from 'node:net';

/** An address that a DHCP server has given out. */
export interface Lease {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  /** Lower case with colons. */
  readonly mac: string;
  /** Milliseconds since the epoch; Infinity: never. */
  readonly expiresMs: number;
}

/** What a DHCP server says of an address: a lease, or that it is nobody's any more. */
export type LeaseEntry = Lease | { readonly address: string; readonly mac: undefined };

/** More are not kept of one server: no BMC network has as many. */
const MAX_LEASES = 65_536;

/** The leases that entries leave, in their order: the last entry of an address wins. */
export class LeaseTable {
  readonly #byAddress = new Map<string, Lease>();
  /** Entries that had no room. */
  left = 0;

  add(entry: LeaseEntry): void {
    const { address } = entry;
    // Given out anew, it is the newest.
    this.#byAddress.delete(address);
    if (entry.mac === undefined) return;
    if (this.#byAddress.size >= MAX_LEASES) this.left += 1;
    else this.#byAddress.set(address, entry);
  }

  leases(): readonly Lease[] {
    return [...this.#byAddress.values()];
  }
}

/** The entry of these words; undefined when they are none. */
export function leaseEntry(address: string, mac: string, expiresMs: number, isGiven: boolean): LeaseEntry | undefined {
  if (isIP(address) === 0) return undefined;
  const lower = mac.toLowerCase();
  if (!isGiven || !/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(lower)) return { address, mac: undefined };
  return { address, mac: lower, expiresMs };
}
