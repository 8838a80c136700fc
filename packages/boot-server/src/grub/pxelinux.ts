import type { BootSteps } from '../decide/boot-steps.ts';

/**
 * Path of the kernel or initrd of what this NIC boots now, below TFTP's and HTTP's root. U-Boot's paths have room for 127
 * characters, which a name that is sealed would not leave: so it says whose, and the server what.
 */
function ownFilePath(mac: string, kind: 'kernel' | 'initrd'): string {
  return `${mac.replaceAll(':', '-')}/_/now/${kind}`;
}

/** Takes an `ownFilePath` apart; a path without a NIC is that of who asks. Undefined for any other name. */
export function parseOwnFilePath(
  name: string,
): { readonly mac: string | undefined; readonly kind: 'kernel' | 'initrd' } | undefined {
  const match = /^(?:(?<mac>[0-9a-f]{2}(?:-[0-9a-f]{2}){5})\/)?_\/now\/(?<kind>kernel|initrd)$/.exec(name)?.groups;
  if (match === undefined) return undefined;
  return { mac: match['mac'], kind: match['kind'] === 'initrd' ? 'initrd' : 'kernel' };
}

/**
 * A configuration in the form that U-Boot's `pxe boot` reads (doc/README.pxe). It knows kernels and the local disk, and
 * one initrd; undefined for all else. U-Boot puts the folder of its boot file before each path, be it absolute or not.
 */
export function renderPxelinuxConfig(steps: BootSteps, mac: string): string | undefined {
  if (steps.kind === 'local') return 'default ingot\nlabel ingot\n  localboot 0\n';
  if (steps.kind !== 'kernel' || steps.initRamDisks.length > 1) return undefined;
  return [
    'default ingot\nlabel ingot\n',
    `  kernel ${ownFilePath(mac, 'kernel')}\n`,
    ...steps.initRamDisks.map(() => `  initrd ${ownFilePath(mac, 'initrd')}\n`),
    `  append ${steps.cmdline}\n`,
  ].join('');
}
