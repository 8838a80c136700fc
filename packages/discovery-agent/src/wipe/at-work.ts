import { basename } from 'node:path';
import type { Sysfs } from '../sysfs.ts';

/** The programs that methods are made of. */
const programs: ReadonlySet<string> = new Set(['blkdiscard', 'hdparm', 'nvme', 'sg_sanitize']);

/**
 * Who of them is at work on a device, as `blkdiscard (pid 123)`: an agent that is killed leaves behind what it has
 * started, and that may go on for hours.
 *
 * @param machine this one: `openSysfs('/')`
 * @param nodes device nodes, of disks and of the controller that they belong to
 */
export function programsAtWork(machine: Sysfs, nodes: readonly string[]): string[] {
  return machine
    .list('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      const line = machine.bytes(`/proc/${pid}/cmdline`);
      const [file = '', ...args] = line === undefined ? [] : Buffer.from(line).toString('utf8').split('\0');
      const name = basename(file);
      return programs.has(name) && args.some((arg) => nodes.includes(arg)) ? [`${name} (pid ${pid})`] : [];
    });
}
