import { RASPBERRY_PI_OUIS } from '../decide/quirks.ts';

/**
 * A name that some firmware only looks for: Raspberry Pi's `<serial>/start4.elf`; U-Boot's script, its device tree, and
 * pxelinux.cfg for each of many keys; GRUB's lists of modules that it has built in, and HTTP before it takes TFTP.
 */
export function isProbe(file: string, mac: string | undefined): boolean {
  if (mac !== undefined && RASPBERRY_PI_OUIS.includes(mac.slice(0, 8))) return true;
  return /^(?:[0-9a-f]{8}\/|boot(?:code|sig)\.bin$|boot\.scr(?:\.uimg)?$|dtb\/|(?:.*\/)?pxelinux\.cfg\/|grub\/[\w-]+\/(?:\w+\.lst|http\.mod|grub\.cfg)$)/i.test(
    file,
  );
}
