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
export { bytesOfMachineUuid, machineUuidOfBytes, parseMachineUuid } from './uuid.ts';
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
  packetMac,
  PXE_SERVER_PORT,
  wantsBroadcast,
} from './dhcp/packet.ts';
export type { DhcpHeader, DhcpOption, DhcpPacket } from './dhcp/packet.ts';
export { decodeDhcp } from './dhcp/decode.ts';
export { encodeDhcp } from './dhcp/encode.ts';
export { buildDhcp } from './dhcp/build.ts';
export type { BuildLimits, DhcpDraft } from './dhcp/build.ts';
export { optionMapOf, readOptions } from './dhcp/option-map.ts';
export type { OptionMap } from './dhcp/option-map.ts';
export * from './dhcp/readers.ts';
export * from './dhcp/make-option.ts';
export * from './dhcp/boot-file.ts';
export * from './dhcp/sub-options.ts';
export * from './dhcp/relay-agent.ts';
export * from './dhcp/client-class.ts';
export * from './dhcp/vendor-identifying.ts';
export * from './dhcp/classless-routes.ts';

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
