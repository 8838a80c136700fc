import type { BootSteps } from '../decide/boot-steps.ts';
import { plainFilePath } from './script.ts';

/**
 * A configuration in the form that U-Boot's `pxe boot` reads (doc/README.pxe). It knows kernels and the local disk, and
 * one initrd; undefined for all else. Paths begin at TFTP's root.
 */
export function renderPxelinuxConfig(steps: BootSteps, mac: string): string | undefined {
  if (steps.kind === 'local') return 'default ingot\nlabel ingot\n  localboot 0\n';
  if (steps.kind !== 'kernel' || steps.initRamDisks.length > 1) return undefined;
  const initrds = steps.initRamDisks.map((name) => `  initrd /${plainFilePath(name, 'initrd', mac)}\n`);
  return [
    'default ingot\nlabel ingot\n',
    `  kernel /${plainFilePath(steps.kernel, 'kernel', mac)}\n`,
    ...initrds,
    `  append ${steps.cmdline}\n`,
  ].join('');
}
