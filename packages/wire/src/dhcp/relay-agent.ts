import { byteAt } from '../bytes.ts';
import { ipv4OfBytes } from '../ipv4.ts';
import type { Ipv4 } from '../ipv4.ts';
import { accept, malformed } from '../result.ts';
import type { Decoded, Malformed, Read } from '../result.ts';
import { OptionCode } from './option-code.ts';
import type { OptionMap } from './option-map.ts';
import { decodeSubOptions, findSubOption } from './sub-options.ts';
import type { SubOption } from './sub-options.ts';

/** Sub-option codes of option 82 and the RFCs that define them. */
export const RelayAgentCode = {
  /** RFC 3046 §3.1. */
  CIRCUIT_ID: 1,
  /** RFC 3046 §3.2. */
  REMOTE_ID: 2,
  /** RFC 3527. */
  LINK_SELECTION: 5,
  /** RFC 3993. */
  SUBSCRIBER_ID: 6,
  /** RFC 4243. */
  VENDOR_SPECIFIC: 9,
  /** RFC 5010. */
  RELAY_FLAGS: 10,
  /** RFC 5107. */
  SERVER_ID_OVERRIDE: 11,
  /** RFC 6925. */
  RELAY_ID: 12,
  /** RFC 8357. */
  RELAY_PORT: 19,
  /** RFC 6607. */
  VIRTUAL_SUBNET: 151,
  /** RFC 6607. */
  VIRTUAL_SUBNET_CONTROL: 152,
} as const;

/** What the relay that the packet came through tells of itself. Echo option 82 itself from the raw packet, never from here. */
export interface RelayAgent {
  readonly circuitId?: Uint8Array;
  readonly remoteId?: Uint8Array;
  /** Choose the client's subnet by this address rather than by `giaddr`. */
  readonly linkSelection?: Ipv4;
  /** Put this address into option 54 of the reply. */
  readonly serverIdOverride?: Ipv4;
  /** RFC 5010: true if the relay got the packet by unicast. */
  readonly receivedUnicast?: boolean;
  /** RFC 8357: the relay wants the reply at the source port of its packet instead of 67. */
  readonly usesSourcePort: boolean;
  /** Every sub-option in order, those above and all others (150, 151, 152 …). */
  readonly subOptions: readonly SubOption[];
}

/** Option 82. */
export function readRelayAgent(options: OptionMap): Read<RelayAgent> {
  const data = options.get(OptionCode.RELAY_AGENT);
  return data === undefined ? undefined : decodeRelayAgent(data);
}

/** The value of option 82. */
export function decodeRelayAgent(data: Uint8Array): Decoded<RelayAgent> {
  const decoded = decodeSubOptions(data, 'plain');
  if (!decoded.ok) return decoded;
  const subOptions = decoded.value;
  const circuitId = findSubOption(subOptions, RelayAgentCode.CIRCUIT_ID);
  const remoteId = findSubOption(subOptions, RelayAgentCode.REMOTE_ID);
  const linkSelection = address(subOptions, RelayAgentCode.LINK_SELECTION);
  if (linkSelection?.ok === false) return linkSelection;
  const serverIdOverride = address(subOptions, RelayAgentCode.SERVER_ID_OVERRIDE);
  if (serverIdOverride?.ok === false) return serverIdOverride;
  const flags = findSubOption(subOptions, RelayAgentCode.RELAY_FLAGS);
  if (flags !== undefined && flags.length !== 1) {
    return at(subOptions, RelayAgentCode.RELAY_FLAGS, `relay flags have ${flags.length} bytes, not 1`);
  }
  return accept({
    ...(circuitId && { circuitId }),
    ...(remoteId && { remoteId }),
    ...(linkSelection && { linkSelection: linkSelection.value }),
    ...(serverIdOverride && { serverIdOverride: serverIdOverride.value }),
    ...(flags && { receivedUnicast: (byteAt(flags, 0) & 0x80) !== 0 }),
    usesSourcePort: findSubOption(subOptions, RelayAgentCode.RELAY_PORT) !== undefined,
    subOptions,
  });
}

function address(subOptions: readonly SubOption[], code: number): Read<Ipv4> {
  const data = findSubOption(subOptions, code);
  if (data === undefined) return undefined;
  const decoded = ipv4OfBytes(data);
  return decoded.ok ? decoded : at(subOptions, code, `sub-option ${code}: ${decoded.reason}`);
}

/** A refusal at the first sub-option with `code`. */
function at(subOptions: readonly SubOption[], code: number, reason: string): Malformed {
  const before = subOptions.slice(
    0,
    subOptions.findIndex((subOption) => subOption.code === code),
  );
  return malformed(
    before.reduce((sum, { data }) => sum + 2 + data.length, 0),
    reason,
  );
}
