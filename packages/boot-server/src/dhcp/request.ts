import {
  BootpOp,
  decodeDhcp,
  IPV4_ANY,
  isUnsetUuid,
  OptionCode,
  packetMac,
  readClientArchs,
  readIpv4,
  readIpxeOptions,
  readMachineUuid,
  readMessageType,
  readOptions,
  readRelayAgent,
  readText,
  readUserClass,
  type DhcpOption,
  type DhcpPacket,
  type Ipv4,
  type Mac,
  type MessageType,
  type OptionMap,
  type Read,
  type RelayAgent,
} from '@ingot/wire';
import type { BootRequest } from '../decide/client.ts';
import { hostNameOf } from './host-name.ts';

/** A client's message, as far as the server acts on it. */
export interface DhcpRequest {
  readonly packet: DhcpPacket;
  readonly options: OptionMap;
  readonly type: MessageType;
  readonly mac: Mac;
  readonly boot: BootRequest;
  /** Option 50. */
  readonly wantedAddress: Ipv4 | undefined;
  /** Option 54. */
  readonly serverId: Ipv4 | undefined;
  readonly relay: RelayAgent | undefined;
  /** Why option 82 cannot be read: it goes back as it came, and says nothing. */
  readonly unreadAgent: string | undefined;
  /** Option 118, or sub-option 5 of option 82: the network to lease from, where that is not giaddr's. */
  readonly linkSelection: Ipv4 | undefined;
}

export type ParsedDhcpRequest =
  | { readonly ok: true; readonly value: DhcpRequest }
  | {
      readonly ok: false;
      readonly reason: 'malformed' | 'not-a-request' | 'not-ethernet' | 'no-message-type';
      readonly detail: string;
    };

/**
 * Reads a datagram on port 67 or 4011. What concerns booting only (options 12, 77, 81, 93, 97, 175) is taken as absent when it
 * is malformed: a machine with a broken UUID still gets an address. So does one whose relay writes an option 82 that nobody
 * can read: `giaddr` tells its network.
 */
export function parseDhcpRequest(data: Uint8Array): ParsedDhcpRequest {
  const decoded = decodeDhcp(data);
  if (!decoded.ok) return { ok: false, reason: 'malformed', detail: `at byte ${decoded.offset}: ${decoded.reason}` };
  const packet = decoded.value;
  if (packet.op !== BootpOp.REQUEST)
    return { ok: false, reason: 'not-a-request', detail: 'a reply came to the server port' };
  const mac = packetMac(packet);
  if (!mac.ok) return { ok: false, reason: 'not-ethernet', detail: mac.reason };
  const options = readOptions(packet);
  const type = readMessageType(options);
  if (type === undefined)
    return { ok: false, reason: 'no-message-type', detail: 'option 53 is missing: BOOTP is not served' };
  if (!type.ok) return { ok: false, reason: 'malformed', detail: type.reason };
  const relay = readRelayAgent(options);
  const ipxe = present(readIpxeOptions(options));
  return {
    ok: true,
    value: {
      packet,
      options,
      type: type.value,
      mac: mac.value,
      boot: {
        mac: mac.value,
        uuid: usable(present(readMachineUuid(options))),
        vendorClass: present(readText(options, OptionCode.VENDOR_CLASS)),
        architectures: present(readClientArchs(options)) ?? [],
        userClasses: readUserClass(options)?.classes ?? [],
        ipxeFeatures: ipxe?.features,
        nicVendor: ipxe?.pci?.vendor,
        hostname: hostNameOf(options),
      },
      wantedAddress: present(readIpv4(options, OptionCode.REQUESTED_ADDRESS)),
      serverId: present(readIpv4(options, OptionCode.SERVER_ID)),
      relay: present(relay),
      unreadAgent: relay?.ok === false ? relay.reason : undefined,
      linkSelection: present(relay)?.linkSelection ?? present(readIpv4(options, OptionCode.SUBNET_SELECTION)),
    },
  };
}

/** The options of a request that a reply repeats byte for byte: 61 (RFC 6842), 97 (RFC 4578 §2.3), 82 (RFC 3046 §2.1). */
export function echoedOptions(packet: DhcpPacket): DhcpOption[] {
  const echoed: DhcpOption[] = [];
  for (const option of packet.options) {
    switch (option.code) {
      case OptionCode.CLIENT_ID:
      case OptionCode.CLIENT_MACHINE_ID:
      case OptionCode.RELAY_AGENT:
        echoed.push(option);
        break;
      default:
    }
  }
  return echoed;
}

export function isRelayed(packet: DhcpPacket): boolean {
  return packet.giaddr !== IPV4_ANY;
}

function present<T>(read: Read<T>): T | undefined {
  return read?.ok === true ? read.value : undefined;
}

/** Without those that a board shows for none: all machines of its make would be one. */
function usable<T extends string>(uuid: T | undefined): T | undefined {
  return uuid === undefined || isUnsetUuid(uuid) ? undefined : uuid;
}
