export * from './result.ts';
export { bytesOfLatin1, latin1 } from './text.ts';
export { concatBytes, equalBytes, hex } from './bytes.ts';
export { Cursor } from './cursor.ts';
export { bytesOfMac, macOfBytes, parseMac } from './mac.ts';
export type { Mac } from './mac.ts';
export {
  bytesOfIpv4,
  IPV4_ANY,
  IPV4_BROADCAST,
  ipv4OfBytes,
  ipv4OfNumber,
  ipv4ToNumber,
  parseIpv4,
  parseIpv4Subnet,
  subnetBroadcast,
  subnetContains,
  subnetMask,
} from './ipv4.ts';
export type { Ipv4, Ipv4Subnet } from './ipv4.ts';
export {
  bytesOfIpv6,
  IPV6_ANY,
  ipv6OfBigInt,
  ipv6OfBytes,
  ipv6ToBigInt,
  isLinkLocal,
  isMulticast6,
  macOfEui64,
  parseIpv6,
  parseIpv6Subnet,
  subnet6Contains,
} from './ipv6.ts';
export type { Ipv6, Ipv6Subnet } from './ipv6.ts';
export {
  compactIpPrefixes,
  compareIpPrefixes,
  formatIpAddress,
  formatIpPrefix,
  IP_BITS,
  ipPrefixAt,
  ipRangeContains,
  ipRangeCovers,
  ipRangesOverlap,
  parseInterfaceAddress,
  parseIpAddress,
  parseIpPrefix,
} from './ip-prefix.ts';
export type { InterfaceAddress, IpAddress, IpFamily, IpPrefix, IpRange } from './ip-prefix.ts';
export { bytesOfMachineUuid, isUnsetUuid, machineUuidOfBytes, parseMachineUuid } from './uuid.ts';
export type { MachineUuid } from './uuid.ts';

export { MessageType, messageTypeName } from './dhcp/message-type.ts';
export { OptionCode } from './dhcp/option-code.ts';
export {
  BootpOp,
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  FLAG_BROADCAST,
  hardwareAddress,
  HTYPE_ETHERNET,
  macOfDhcpBytes,
  packetMac,
  PXE_SERVER_PORT,
  wantsBroadcast,
} from './dhcp/packet.ts';
export type { DhcpHeader, DhcpOption, DhcpPacket } from './dhcp/packet.ts';
export { decodeDhcp } from './dhcp/decode.ts';
export { encodeDhcp } from './dhcp/encode.ts';
export { buildDhcp } from './dhcp/build.ts';
export type { BuildLimits, DhcpDraft } from './dhcp/build.ts';
export { writeDhcp } from './dhcp/write.ts';
export type { WriteLimits } from './dhcp/write.ts';
export { optionMapOf, readOptions } from './dhcp/option-map.ts';
export type { OptionMap } from './dhcp/option-map.ts';
export * from './dhcp/readers.ts';
export * from './dhcp/make-option.ts';
export * from './dhcp/boot-file.ts';
export * from './dhcp/sub-options.ts';
export * from './dhcp/relay-agent.ts';
export {
  agentValue,
  editedLength,
  editRelayed,
  outlineDhcp,
  outlineHardwareAddress,
  type DhcpOutline,
  type RelayEdit,
} from './dhcp/relay-edit.ts';
export * from './dhcp/client-class.ts';
export * from './dhcp/vendor-identifying.ts';
export * from './dhcp/classless-routes.ts';
export { encodeDomainSearch } from './dhcp/domain-search.ts';

export { Dhcp6MessageType, dhcp6MessageTypeName } from './dhcpv6/message-type.ts';
export { Dhcp6OptionCode } from './dhcpv6/option-code.ts';
export { decodeDhcp6Options, dhcp6OptionsLength, findDhcp6Option, MAX_DHCP6_OPTIONS } from './dhcpv6/option.ts';
export type { Dhcp6Option } from './dhcpv6/option.ts';
export {
  decodeDhcp6,
  DHCP6_CLIENT_PORT,
  DHCP6_SERVER_PORT,
  DHCP6_SERVERS_GROUP,
  encodeDhcp6,
} from './dhcpv6/message.ts';
export type { Dhcp6Message, Dhcp6RelayMessage } from './dhcpv6/message.ts';
export * from './dhcpv6/relay-chain.ts';
export * from './dhcpv6/duid.ts';
export * from './dhcpv6/identity-association.ts';
export * from './dhcpv6/status-code.ts';
export * from './dhcpv6/classes.ts';
export * from './dhcpv6/domain-names.ts';
export * from './dhcpv6/ntp.ts';
export * from './dhcpv6/readers.ts';
export * from './dhcpv6/make-option.ts';

export { CLIENT_ARCHS, clientArch } from './pxe/arch.ts';
export type { ClientArch } from './pxe/arch.ts';
export * from './pxe/client-options.ts';
export * from './pxe/vendor-options.ts';
export * from './pxe/ipxe-options.ts';

export * from './tftp/packet.ts';
export { decodeTftp } from './tftp/decode.ts';
export { encodeTftp, encodeTftpData } from './tftp/encode.ts';
export * from './tftp/make.ts';
export * from './tftp/options.ts';

export * from './lldp/frame.ts';
export { decodeLldp, encodeLldp } from './lldp/codec.ts';
export { decodeChassisId, decodePortId } from './lldp/identifier.ts';
export type { ChassisId, PortId } from './lldp/identifier.ts';
export { decodeOrganization, LldpOui } from './lldp/organization.ts';
export type { LinkAggregationTlv, OrganizationTlv } from './lldp/organization.ts';
export { decodeManagementAddress, LldpCapability, readNeighbour } from './lldp/neighbour.ts';
export type { LldpManagementAddress, LldpNeighbour } from './lldp/neighbour.ts';
export * from './lldp/make-tlv.ts';

export { decodeSntpAnswer, encodeSntpRequest, NTP_PORT } from './ntp/sntp.ts';
export type { SntpAnswer } from './ntp/sntp.ts';
