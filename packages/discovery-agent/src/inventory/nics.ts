import { dirname } from 'node:path';
import type { Sysfs } from '../sysfs.ts';
import type { PciNames } from './pci-names.ts';

export interface Nic {
  readonly name: string;
  /** Lower case, six bytes. */
  readonly mac: string;
  /** False when the address was set or made up by software, so that it may differ at the next boot. */
  readonly macIsPermanent: boolean;
  readonly driver: string;
  readonly vendor: string;
  readonly model: string;
  /** Bits per second; 0 while unknown, as without a link. */
  readonly speedBitsPerSecond: number;
  readonly carrier: boolean;
}

const ethernet = 1; // ARPHRD_ETHER, include/uapi/linux/if_arp.h
const permanentAddress = 0; // NET_ADDR_PERM, include/uapi/linux/netdevice.h

/** Ethernet interfaces with hardware behind them: no bridges, tunnels or virtual functions. */
export function readNics(sysfs: Sysfs, names: PciNames): Nic[] {
  return sysfs.list('/sys/class/net').flatMap((name) => {
    const directory = `/sys/class/net/${name}`;
    const mac = sysfs.text(`${directory}/address`)?.toLowerCase() ?? '';
    const isHardware = sysfs.exists(`${directory}/device`) && !sysfs.exists(`${directory}/device/physfn`);
    if (!isHardware || sysfs.integer(`${directory}/type`) !== ethernet || !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac))
      return [];
    const megabits = sysfs.integer(`${directory}/speed`) ?? 0;
    return [
      {
        name,
        mac,
        macIsPermanent: (sysfs.integer(`${directory}/addr_assign_type`) ?? permanentAddress) === permanentAddress,
        driver: sysfs.linkName(`${directory}/device/driver`) ?? '',
        ...namesOf(sysfs, directory, names),
        speedBitsPerSecond: megabits > 0 ? megabits * 1_000_000 : 0,
        carrier: sysfs.integer(`${directory}/carrier`) === 1,
      },
    ];
  });
}

/** A virtio or USB interface hangs below the PCI device that has the name. */
function namesOf(sysfs: Sysfs, directory: string, names: PciNames): { vendor: string; model: string } {
  let at = sysfs.real(`${directory}/device`);
  while (at !== undefined && at.length > 1 && at.startsWith('/sys/')) {
    const vendorId = sysfs.integer(`${at}/vendor`);
    const deviceId = sysfs.integer(`${at}/device`);
    if (vendorId !== undefined && deviceId !== undefined && sysfs.exists(`${at}/class`))
      return names.lookup(vendorId, deviceId);
    at = dirname(at);
  }
  return { vendor: '', model: '' };
}
