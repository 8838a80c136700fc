import {
  Dhcp6OptionCode,
  decodeDuid,
  findDhcp6Option,
  HTYPE_ETHERNET,
  macOfBytes,
  macOfDuid,
  macOfEui64,
  readClientLinkLayerAddress,
  type Dhcp6Envelope,
  type Ipv6,
  type Mac,
} from '@ingot/wire';

/**
 * The hardware address of the NIC that asks, which DHCPv6 does not carry: by the word of the relay that saw its frame
 * (option 79), else from its DUID, else from its link-local address. The last two are the client's own claims, as
 * `chaddr` of DHCPv4 is; privacy addresses and DUIDs of other kinds tell nothing.
 */
export function clientMac({ message, relays }: Dhcp6Envelope, peer: Ipv6): Mac | undefined {
  const nearest = relays.at(-1);
  const seen = nearest === undefined ? undefined : readClientLinkLayerAddress(nearest.options);
  if (seen?.ok === true && seen.value.htype === HTYPE_ETHERNET) {
    const mac = macOfBytes(seen.value.address);
    if (mac.ok) return mac.value;
  }
  const id = decodeDuid(findDhcp6Option(message.options, Dhcp6OptionCode.CLIENT_ID) ?? new Uint8Array());
  return (id.ok ? macOfDuid(id.value) : undefined) ?? macOfEui64(peer);
}
