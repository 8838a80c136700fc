import { existsSync } from 'node:fs';
import { isIP } from 'node:net';

/** Where a service listens: at an address, or at all addresses of one interface (or VRF device). */
export interface ListenPlace {
  readonly address: string;
  /** Nothing else is heard than what arrives there, and answers leave by it. */
  readonly interface?: string;
}

/** The name of an interface, and nothing that was meant as an address: aliases as `eth0:1` are none. */
export const INTERFACE_NAME: RegExp = /^(?![\d.]+$)[^\s/:%[\]]{1,15}$/;

/** An address stands for itself, an interface for each family that the host has; each place once. */
export function listenPlaces(entries: readonly string[]): ListenPlace[] {
  const families = existsSync('/proc/net/if_inet6') ? ['0.0.0.0', '::'] : ['0.0.0.0'];
  return [...new Set(entries)].flatMap((entry): ListenPlace[] =>
    isIP(entry) === 0 ? families.map((address) => ({ address, interface: entry })) : [{ address: entry }],
  );
}

/**
 * What binds a UDP socket there. Ports are shared where places are of both kinds: a socket for all addresses of an
 * interface stands in the way of one for a single address, and the reverse.
 */
export function bindOptions(
  place: ListenPlace,
  all: readonly ListenPlace[],
): ListenPlace & { readonly reuseAddress: boolean } {
  const bound = all.filter((each) => each.interface !== undefined).length;
  return { ...place, reuseAddress: bound > 0 && bound < all.length };
}
