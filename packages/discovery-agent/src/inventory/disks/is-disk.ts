import type { Sysfs } from '../../sysfs.ts';

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

/**
 * USB vendors that make the chips or the firmware of BMCs (http://www.linux-usb.org/usb.ids): American Megatrends,
 * Avocent, ATEN, Peppercon. Their disks are files on an operator's desk.
 */
const managementVendors: ReadonlySet<string> = new Set(['046b', '0624', '0557', '14dd']);

/** What BMCs call their media: AMI, iDRAC, iLO, Cisco, Lenovo, and OpenBMC's Linux gadget. */
const virtualMediaName =
  /virtual\s?(floppy|fdd|cd|dvd|hd|hard ?dis[ck]|dis[ck]|media|usb|key|mass)|^(idrac|ilo|hpe? ilo|aten|ami|peppercon|cimc|cisco cimc|lcdrive|secupd|vflash)\b|cimc-mapped|file-stor gadget|redfish|openbmc/i;

/** Media that a BMC offers over its USB wire; often not marked removable. Looks at USB devices only. */
function isVirtualMedia(sysfs: Sysfs, directory: string): boolean {
  const usb = usbDevice(sysfs, directory);
  if (usb === undefined) return false;
  const names = [
    sysfs.text(`${directory}/device/vendor`),
    sysfs.text(`${directory}/device/model`),
    sysfs.text(`${usb}/manufacturer`),
    sysfs.text(`${usb}/product`),
  ];
  return (
    managementVendors.has(sysfs.text(`${usb}/idVendor`) ?? '') ||
    names.some((name) => name !== undefined && virtualMediaName.test(name))
  );
}

/** The USB device below which something hangs. Its name is bus and ports, `1-14.3`; a colon starts an interface. */
export function usbDevice(sysfs: Sysfs, path: string): string | undefined {
  const parts = (sysfs.real(path) ?? '').split('/');
  const at = parts.findLastIndex((part) => /^\d+-\d+(\.\d+)*$/.test(part));
  return at < 0 || !parts.some((part) => /^usb\d+$/.test(part)) ? undefined : parts.slice(0, at + 1).join('/');
}
