import { basename } from 'node:path';
import type { Sysfs } from '../sysfs.ts';
import { guidOfAddress, readInfinibandPorts } from './nics/infiniband.ts';
import { isStationAddress } from './nics/ethtool-text.ts';
import { pciDirectory, readPorts } from './nics/ports.ts';
import type { Port } from './nics/ports.ts';
import type { PciNames } from './pci-names.ts';
import { printable } from './printable.ts';

export interface Nic extends Port {
  /** Lower case, six bytes; empty for InfiniBand, which has none and therefore is not registered. */
  readonly mac: string;
  /** False when the address was set or made up by software, so that it may differ at the next boot. */
  readonly macIsPermanent: boolean;
  /** Of an InfiniBand port, `b8:ce:f6:03:00:12:34:56`; else empty. */
  readonly guid: string;
  readonly driver: string;
  /** Empty where unknown. Some drivers tell it only to `readDetails`. */
  readonly firmware: string;
  readonly vendor: string;
  readonly model: string;
  /** The PCI device behind it; undefined where there is none. */
  readonly pci: NicPci | undefined;
  /** Bits per second; 0 while unknown, as without a link. */
  readonly speedBitsPerSecond: number;
  /** Bytes; 0 where unknown. */
  readonly mtu: number;
}

export interface NicPci {
  /** Domain, bus, device, function: `0000:3b:00.0`. */
  readonly address: string;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemDeviceId: number;
  /** undefined on a machine with one node. */
  readonly numaNode: number | undefined;
  /** Virtual functions that the adapter could have, and those that it has; 0 without SR-IOV. */
  readonly sriov: { readonly totalVfs: number; readonly vfs: number };
}

const permanentAddress = 0; // NET_ADDR_PERM, include/uapi/linux/netdevice.h
/** Some drivers say 2^32-1 while they do not know. */
const implausibleMegabits = 10_000_000;

/** Ethernet and InfiniBand ports, interfaces in natural order, then InfiniBand ports without an interface. */
export function readNics(sysfs: Sysfs, names: PciNames): Nic[] {
  const nics = readPorts(sysfs).flatMap((port) => readNic(sysfs, names, port) ?? []);
  const withInterface = new Set(nics.map((nic) => nic.guid));
  const others = readInfinibandPorts(sysfs)
    .filter(({ guid }) => guid === '' || !withInterface.has(guid))
    .map(({ name, device, guid, carrier, speedBitsPerSecond }) => ({
      name,
      link: 'infiniband' as const,
      carrier,
      towardsBmc: false,
      mac: '',
      macIsPermanent: true,
      guid,
      ...hardwareOf(sysfs, names, sysfs.real(device), sysfs.linkName(`${device}/driver`) ?? ''),
      speedBitsPerSecond,
      mtu: 0,
    }));
  return [...nics, ...others];
}

function readNic(sysfs: Sysfs, names: PciNames, port: Port): Nic | undefined {
  const directory = `/sys/class/net/${port.name}`;
  const address = sysfs.text(`${directory}/address`)?.toLowerCase() ?? '';
  // While a bond has the port its address is the bond's.
  const permanent = sysfs.text(`${directory}/bonding_slave/perm_hwaddr`)?.toLowerCase() ?? '';
  const mac = isStationAddress(permanent) ? permanent : address;
  if (port.link === 'ethernet' && !isStationAddress(mac)) return undefined;
  const megabits = sysfs.integer(`${directory}/speed`) ?? 0;
  return {
    ...port,
    mac: port.link === 'ethernet' ? mac : '',
    macIsPermanent:
      mac === permanent || (sysfs.integer(`${directory}/addr_assign_type`) ?? permanentAddress) === permanentAddress,
    guid: port.link === 'infiniband' ? guidOfAddress(address) : '',
    ...hardwareOf(sysfs, names, pciDirectory(sysfs, port.name), sysfs.linkName(`${directory}/device/driver`) ?? ''),
    speedBitsPerSecond: megabits > 0 && megabits < implausibleMegabits ? megabits * 1_000_000 : 0,
    mtu: sysfs.integer(`${directory}/mtu`) ?? 0,
  };
}

/**
 * The API takes ports with a MAC. The host's end of the wire to the BMC often has the same address on every machine of a
 * kind, and the API wants each address once.
 */
export function isRegistered({ mac, towardsBmc }: Nic): boolean {
  return mac !== '' && !towardsBmc;
}

export function addressProblem({ name, mac }: Nic): string {
  return `nics: ${name} has the address ${mac}, which is not its own`;
}

type Hardware = Pick<Nic, 'driver' | 'firmware' | 'vendor' | 'model' | 'pci'>;

function hardwareOf(sysfs: Sysfs, names: PciNames, pci: string | undefined, driver: string): Hardware {
  if (pci === undefined) return { driver, firmware: '', vendor: '', model: '', pci: undefined };
  const number = (file: string): number => sysfs.integer(`${pci}/${file}`) ?? 0;
  const numaNode = sysfs.integer(`${pci}/numa_node`) ?? -1;
  // Mellanox adapters show it here; others tell only ethtool.
  const [adapter = ''] = sysfs.list(`${pci}/infiniband`);
  return {
    driver,
    firmware: printable(sysfs.text(`${pci}/infiniband/${adapter}/fw_ver`) ?? ''),
    ...names.lookup(number('vendor'), number('device')),
    pci: {
      address: basename(pci),
      vendorId: number('vendor'),
      deviceId: number('device'),
      subsystemVendorId: number('subsystem_vendor'),
      subsystemDeviceId: number('subsystem_device'),
      numaNode: numaNode < 0 ? undefined : numaNode,
      sriov: { totalVfs: number('sriov_totalvfs'), vfs: number('sriov_numvfs') },
    },
  };
}
