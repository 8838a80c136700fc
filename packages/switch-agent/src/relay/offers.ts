import { hex, MessageType, outlineHardwareAddress, type DhcpOutline, type Ipv4 } from '@ingot/wire';
import type { Clock } from '@ingot/net';

/** A client asks for what it was offered within seconds. */
const REMEMBERED_MS = 60_000;
/** Clients with an offer; a flood of them forgets the oldest. */
const MAX_CLIENTS = 4_096;

/**
 * Who offered what. With the server identifier overridden (RFC 5107) a client's REQUEST names us, and each of several
 * servers would take itself to be meant: it goes to the one whose address the client has chosen.
 */
export interface Offers {
  remember(data: Uint8Array, offer: DhcpOutline, server: Ipv4): void;
  /** Whose offer a REQUEST takes; undefined where that is not known, or where it takes none. */
  serverOf(data: Uint8Array, request: DhcpOutline): Ipv4 | undefined;
}

interface Exchange {
  readonly untilMs: number;
  /** Server → the address that it offered. */
  readonly offers: Map<Ipv4, number>;
}

export function createOffers(clock: Clock): Offers {
  const exchanges = new Map<string, Exchange>();
  const keyOf = (data: Uint8Array, outline: DhcpOutline): string =>
    `${outline.xid}/${hex(outlineHardwareAddress(data, outline))}`;
  return {
    remember: (data, offer, server) => {
      if (offer.messageType !== MessageType.OFFER) return;
      const key = keyOf(data, offer);
      const offers = exchanges.get(key)?.offers ?? new Map<Ipv4, number>();
      // Set anew, so that the oldest stays first.
      exchanges.delete(key);
      offers.set(server, offer.yiaddr);
      exchanges.set(key, { untilMs: clock.monotonic() + REMEMBERED_MS, offers });
      const [oldest] = exchanges.size > MAX_CLIENTS ? exchanges.keys() : [];
      if (oldest !== undefined) exchanges.delete(oldest);
    },
    serverOf: (data, request) => {
      if (request.messageType !== MessageType.REQUEST || request.serverId === 0) return undefined;
      const exchange = exchanges.get(keyOf(data, request));
      if (exchange === undefined || exchange.untilMs < clock.monotonic()) return undefined;
      return [...exchange.offers].find(([, address]) => address === request.requestedAddress)?.[0];
    },
  };
}
