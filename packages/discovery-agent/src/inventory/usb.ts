import type { Sysfs } from '../sysfs.ts';

/** The USB device below which something hangs. Its name is bus and ports, `1-14.3`; a colon starts an interface. */
export function usbDevice(sysfs: Sysfs, path: string): string | undefined {
  const parts = (sysfs.real(path) ?? '').split('/');
  const at = parts.findLastIndex((part) => /^\d+-\d+(\.\d+)*$/.test(part));
  return at < 0 || !parts.some((part) => /^usb\d+$/.test(part)) ? undefined : parts.slice(0, at + 1).join('/');
}

/** Who makes the chips or the firmware of BMCs, and nothing else with USB (http://www.linux-usb.org/usb.ids). */
const managementVendors: ReadonlySet<string> = new Set([
  '046b', // American Megatrends
  '0557', // ATEN
  '0624', // Avocent
  '0b1f', // Insyde
  '14dd', // Peppercon
]);

/** A device that exists only as the other end of a BMC's USB wire. */
export function isManagementDevice(sysfs: Sysfs, usb: string, name: RegExp): boolean {
  const names = [sysfs.text(`${usb}/manufacturer`) ?? '', sysfs.text(`${usb}/product`) ?? ''];
  return managementVendors.has(sysfs.text(`${usb}/idVendor`) ?? '') || names.some((text) => name.test(text));
}
