import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Network, UdpSocket } from '@ingot/net';

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

/** Tells whether an interface has an IPv4 address, as it is now. */
export function isAtInterface(
  network: Pick<Network, 'interfaceAddresses'>,
): (name: string, address: string) => boolean {
  return (name, address) => network.interfaceAddresses(name).includes(address);
}

/**
 * Binds a UDP port at each place, or nowhere. Ports are shared where places are of both kinds, for a socket for all
 * addresses of an interface stands in the way of one for a single address, and the reverse; `shares`: in any case. Rejects
 * with NetError, also where another program would let us share: that would get nothing any more, without a word.
 */
export async function bindPlaces(
  network: Network,
  places: readonly ListenPlace[],
  { port, shares = false }: { readonly port: number; readonly shares?: boolean },
): Promise<{ readonly place: ListenPlace; readonly socket: UdpSocket }[]> {
  const atInterfaces = places.filter((each) => each.interface !== undefined).length;
  const reuseAddress = shares || (atInterfaces > 0 && atInterfaces < places.length);
  const bound: { place: ListenPlace; socket: UdpSocket }[] = [];
  try {
    if (reuseAddress) for (const place of places) await (await network.bindUdp({ ...place, port })).close();
    for (const place of places) bound.push({ place, socket: await network.bindUdp({ ...place, port, reuseAddress }) });
    return bound;
  } catch (error) {
    await Promise.all(bound.map(({ socket }) => socket.close()));
    throw error;
  }
}
