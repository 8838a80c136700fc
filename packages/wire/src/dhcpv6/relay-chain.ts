import { accept, malformed } from '../result.ts';
import type { Decoded } from '../result.ts';
import { Dhcp6MessageType } from './message-type.ts';
import { decodeDhcp6, encodeDhcp6, offsetWithin } from './message.ts';
import type { Dhcp6Message, Dhcp6RelayMessage } from './message.ts';
import { Dhcp6OptionCode } from './option-code.ts';
import { findDhcp6Option } from './option.ts';
import type { Dhcp6Option } from './option.ts';

/** HOP_COUNT_LIMIT (RFC 8415 §7.6): relays give up a message that has passed as many. */
export const MAX_DHCP6_RELAYS = 8;

/** A client's message with the relays that it came through. */
export interface Dhcp6Envelope {
  readonly message: Dhcp6Message;
  /** The relay that sent the datagram first, the one at the client last; none where the client sent it itself. */
  readonly relays: readonly Dhcp6RelayMessage[];
}

/**
 * Decodes a datagram down to the client's message. Refused besides what `decodeDhcp6` refuses: more than 8 relays,
 * relay messages that change between forward and reply on the way, one that has nothing in it.
 */
export function decodeDhcp6Envelope(bytes: Uint8Array): Decoded<Dhcp6Envelope> {
  const relays: Dhcp6RelayMessage[] = [];
  let inner = bytes;
  for (;;) {
    const base = offsetWithin(bytes, inner);
    const decoded = decodeDhcp6(inner);
    if (!decoded.ok) return malformed(base + decoded.offset, decoded.reason);
    const message = decoded.value;
    if (message.kind === 'message') return accept({ message, relays });
    if (relays.length === MAX_DHCP6_RELAYS) return malformed(base, `more than ${MAX_DHCP6_RELAYS} relays`);
    if (relays[0] !== undefined && relays[0].type !== message.type) {
      return malformed(base, 'a relay reply in a relay forward, or the other way round');
    }
    relays.push(message);
    const next = findDhcp6Option(message.options, Dhcp6OptionCode.RELAY_MESSAGE);
    if (next === undefined) return malformed(base, 'a relay message without the message that it relays');
    inner = next;
  }
}

/** What a relay wants to see again: RFC 8415 §19.3, RFC 8357 §5.2. */
const ECHOED: ReadonlySet<number> = new Set([Dhcp6OptionCode.INTERFACE_ID, Dhcp6OptionCode.RELAY_PORT]);

/** The datagram that brings `reply` back through `relays`, as the envelope of the question had them. */
export function encodeDhcp6Reply(reply: Dhcp6Message, relays: readonly Dhcp6RelayMessage[]): Uint8Array {
  let data = encodeDhcp6(reply);
  for (const relay of relays.toReversed()) {
    const echoed = relay.options.filter(({ code }) => ECHOED.has(code));
    const options: Dhcp6Option[] = [...echoed, { code: Dhcp6OptionCode.RELAY_MESSAGE, data }];
    data = encodeDhcp6({ ...relay, type: Dhcp6MessageType.RELAY_REPL, options });
  }
  return data;
}
