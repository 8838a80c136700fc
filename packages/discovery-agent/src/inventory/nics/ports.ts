import { dirname } from 'node:path';
import type { Sysfs } from '../../sysfs.ts';
import { isManagementDevice, usbDevice } from '../usb.ts';

/** A network interface with hardware behind it. */
export interface Port {
  readonly name: string;
  readonly link: 'ethernet' | 'infiniband';
  /** Whether the other end answers. */
  readonly carrier: boolean;
  /** True for the wire to this machine's own BMC (the Redfish host interface): no switch will ever be heard there. */
  readonly towardsBmc: boolean;
}

/** ARPHRD_ETHER and ARPHRD_INFINIBAND, include/uapi/linux/if_arp.h */
const linkOfType: ReadonlyMap<number | undefined, Port['link']> = new Map([
  [1, 'ethernet'],
  [32, 'infiniband'],
]);

/**
 * In natural order; no bonds, bridges, VLANs or tunnels, which have no device, and no virtual functions.
 *
 * Reads a handful of files for each: fit to be called every second.
 */
export function readPorts(sysfs: Sysfs): Port[] {
  return sysfs.list('/sys/class/net').flatMap((name) => {
    const directory = `/sys/class/net/${name}`;
    const link = linkOfType.get(sysfs.integer(`${directory}/type`));
    if (link === undefined || !isHardware(sysfs, directory)) return [];
    return [
      {
        name,
        link,
        carrier: sysfs.integer(`${directory}/carrier`) === 1,
        towardsBmc: isBmcWire(sysfs, directory),
      },
    ];
  });
}

function isHardware(sysfs: Sysfs, directory: string): boolean {
  return (
    sysfs.exists(`${directory}/device`) &&
    // a virtual function, and a subfunction, which is a device of the auxiliary bus
    !sysfs.exists(`${directory}/device/physfn`) &&
    !/\.sf\.\d+(\/|$)/.test(sysfs.real(`${directory}/device`) ?? '') &&
    // The end of a virtual or subfunction inside the adapter's switch: it has the adapter's device.
    !/^(c\d+)?pf\d+(vf|sf)\d+$/.test(sysfs.text(`${directory}/phys_port_name`) ?? '') &&
    // A partition of an InfiniBand port has the port's device, too.
    !sysfs.exists(`${directory}/parent`) &&
    !sysfs.exists(`${directory}/bonding`) &&
    !sysfs.exists(`${directory}/bridge`)
  );
}

const usbNetworkDrivers: ReadonlySet<string | undefined> = new Set([
  'cdc_eem',
  'cdc_ether',
  'cdc_ncm',
  'cdc_subset',
  'rndis_host',
]);
const bmcName = /\b(idrac|ilo|xclarity|imm2?|cimc|bmc|openbmc|redfish|megarac|insyde|american megatrends)\b/i;

function isBmcWire(sysfs: Sysfs, directory: string): boolean {
  if (!usbNetworkDrivers.has(sysfs.linkName(`${directory}/device/driver`))) return false;
  const usb = usbDevice(sysfs, directory) ?? usbDevice(sysfs, `${directory}/device`);
  return usb !== undefined && isManagementDevice(sysfs, usb, bmcName);
}

/** Directory of the PCI device that an interface belongs to: a virtio or USB interface hangs somewhere below one. */
export function pciDirectory(sysfs: Sysfs, name: string): string | undefined {
  let at = sysfs.real(`/sys/class/net/${name}/device`);
  while (at !== undefined && at.length > 1 && at.startsWith('/sys/')) {
    const isPci = ['vendor', 'device', 'class'].every((file) => sysfs.integer(`${at}/${file}`) !== undefined);
    if (isPci) return at;
    at = dirname(at);
  }
  return undefined;
}
