import { byteAt, view } from '../bytes.ts';
import { uint16At } from '../cursor.ts';
import { OptionCode } from '../dhcp/option-code.ts';
import type { OptionMap } from '../dhcp/option-map.ts';
import type { DhcpOption } from '../dhcp/packet.ts';
import { decodeSubOptions, encodeSubOptions, findSubOption } from '../dhcp/sub-options.ts';
import type { SubOption } from '../dhcp/sub-options.ts';
import { accept } from '../result.ts';
import { isBlank } from '../text.ts';
import type { Decoded, Read } from '../result.ts';

/** Sub-options of option 175 that say what an iPXE build can do: iPXE's `ipxe/features.h`. */
export const IpxeFeature = {
  PXE_EXTENSIONS: 0x10,
  ISCSI: 0x11,
  AOE: 0x12,
  HTTP: 0x13,
  HTTPS: 0x14,
  TFTP: 0x15,
  FTP: 0x16,
  DNS: 0x17,
  BZIMAGE: 0x18,
  MULTIBOOT: 0x19,
  SLAM: 0x1a,
  SRP: 0x1b,
  NBI: 0x20,
  PXE: 0x21,
  ELF: 0x22,
  COMBOOT: 0x23,
  EFI: 0x24,
  FCOE: 0x25,
  VLAN: 0x26,
  MENU: 0x27,
  SDI: 0x28,
  NFS: 0x29,
} as const;

/** Other sub-options of option 175, sent by iPXE or to it: iPXE's `ipxe/dhcp.h`. */
export const IpxeCode = {
  /** A number; of several offers iPXE takes the one with the highest. */
  PRIORITY: 0x01,
  KEEP_SAN: 0x08,
  SKIP_SAN_BOOT: 0x09,
  SCRIPTLET: 0x51,
  SYSLOGS: 0x55,
  CERTIFICATE: 0x5b,
  PRIVATE_KEY: 0x5c,
  CROSS_SIGNED: 0x5d,
  /** 1 in the lease: do not wait for a ProxyDHCP offer. */
  NO_PROXY: 0xb0,
  /** Bus type, PCI vendor, PCI device. */
  BUS_ID: 0xb1,
  SAN_DRIVE: 0xbd,
  USERNAME: 0xbe,
  PASSWORD: 0xbf,
  REVERSE_USERNAME: 0xc0,
  REVERSE_PASSWORD: 0xc1,
  /** Three bytes: major, minor, patch. */
  VERSION: 0xeb,
} as const;

/** Option 175: what an iPXE client tells of itself. */
export interface IpxeOptions {
  /** Numbers of `IpxeFeature`. */
  readonly features: ReadonlySet<number>;
  readonly version?: { readonly major: number; readonly minor: number; readonly patch: number };
  /** The PCI ids of the network card, if it is a PCI one. */
  readonly pci?: { readonly vendor: number; readonly device: number };
  /** Every sub-option in order, those above included. */
  readonly subOptions: readonly SubOption[];
}

const FEATURE_CODES: ReadonlySet<number> = new Set(Object.values(IpxeFeature));

/** Option 175. Its presence is what tells iPXE from other clients. */
export function readIpxeOptions(options: OptionMap): Read<IpxeOptions> {
  const data = options.get(OptionCode.IPXE);
  return data === undefined ? undefined : decodeIpxeOptions(data);
}

/** `type` of the bus id for PCI, as iPXE's `ipxe/pci.h` has it. */
const BUS_PCI = 1;

/** The value of option 175. A feature counts if its value is not 0. Version and bus id of an unknown shape are left to `subOptions`. */
export function decodeIpxeOptions(data: Uint8Array): Decoded<IpxeOptions> {
  const decoded = decodeSubOptions(data, 'padded');
  if (!decoded.ok) return decoded;
  const subOptions = decoded.value;
  const features = new Set<number>();
  for (const { code, data: value } of subOptions) {
    if (FEATURE_CODES.has(code) && !isBlank(value)) features.add(code);
  }
  const version = findSubOption(subOptions, IpxeCode.VERSION);
  const bus = findSubOption(subOptions, IpxeCode.BUS_ID);
  return accept({
    features,
    ...(version?.length === 3 && {
      version: { major: byteAt(version, 0), minor: byteAt(version, 1), patch: byteAt(version, 2) },
    }),
    ...(bus?.length === 5 &&
      byteAt(bus, 0) === BUS_PCI && { pci: { vendor: uint16At(bus, 1), device: uint16At(bus, 3) } }),
    subOptions,
  });
}

/** Option 175 for an iPXE client, e.g. `[{code: IpxeCode.NO_PROXY, data: Uint8Array.of(1)}]`. iPXE wants no END in it. */
export function ipxeOption(subOptions: readonly SubOption[]): DhcpOption {
  const withEnd = encodeSubOptions(subOptions, 'padded');
  return { code: OptionCode.IPXE, data: view(withEnd, 0, withEnd.length - 1) };
}
