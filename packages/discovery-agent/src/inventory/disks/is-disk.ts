import type { Sysfs } from '../../sysfs.ts';
import { isManagementDevice, usbDevice } from '../usb.ts';

/** Built upon other block devices, in memory, remote, optical, a floppy; parts of an eMMC that hold its firmware. */
const notADiskName =
  /^(ram|loop|zram|dm-|md|sr|fd|nbd|rbd|rnbd|drbd|bcache|zd\d|ublkb|nullb|mtdblock|ubiblock|etherd!|mmcblk\d+(boot|rpmb|gp)|nvme\d+c\d+n\d+$)/;

/** SCSI peripheral device types that store blocks: direct access, simplified, host-managed zones (SPC-4 table 144). */
const blockDeviceTypes: ReadonlySet<number> = new Set([0x00, 0x0e, 0x14]);

/** Whole disks with a medium in them that will not be pulled out. */
export function isDisk(sysfs: Sysfs, name: string): boolean {
  const directory = `/sys/block/${name}`;
  const type = sysfs.integer(`${directory}/device/type`);
  return (
    !notADiskName.test(name) &&
    (sysfs.integer(`${directory}/size`) ?? 0) > 0 &&
    sysfs.integer(`${directory}/removable`) !== 1 &&
    // one path of a multipath NVMe namespace; the namespace itself is listed besides
    sysfs.integer(`${directory}/hidden`) !== 1 &&
    !sysfs.exists(`${directory}/partition`) &&
    (type === undefined || blockDeviceTypes.has(type)) &&
    // Of a memory card `type` says SD, of a soldered chip MMC.
    sysfs.text(`${directory}/device/type`) !== 'SD' &&
    !isVirtualDevice(sysfs.real(directory) ?? '') &&
    !isVirtualMedia(sysfs, directory)
  );
}

/** Whatever no hardware is behind. The head of a multipath NVMe namespace lives there too, and is a disk. */
function isVirtualDevice(path: string): boolean {
  return path.startsWith('/sys/devices/virtual/') && !path.startsWith('/sys/devices/virtual/nvme-');
}

/** What BMCs call their media: AMI, iDRAC, iLO, Cisco, Lenovo, and OpenBMC's Linux gadget. */
const virtualMediaName =
  /virtual\s?(floppy|fdd|cd|dvd|hd|hard ?dis[ck]|dis[ck]|media|usb|key|mass)|^(idrac|ilo|hpe? ilo|aten|ami|peppercon|cimc|cisco cimc|lcdrive|secupd|vflash)\b|cimc-mapped|file-stor gadget|redfish|openbmc/i;

/** Media that a BMC offers over its USB wire: files on an operator's desk, often not marked removable. */
function isVirtualMedia(sysfs: Sysfs, directory: string): boolean {
  const usb = usbDevice(sysfs, directory);
  if (usb === undefined) return false;
  const names = [sysfs.text(`${directory}/device/vendor`) ?? '', sysfs.text(`${directory}/device/model`) ?? ''];
  return names.some((name) => virtualMediaName.test(name)) || isManagementDevice(sysfs, usb, virtualMediaName);
}
