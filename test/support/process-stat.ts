import { globSync, readFileSync } from 'node:fs';

/** Resident memory in MB, now and at most; 0 of a process that is gone. */
export function readMemoryMb(pid: number): { readonly now: number; readonly most: number } {
  const status = read(`/proc/${pid}/status`);
  const field = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024);
  return { now: field('VmRSS'), most: field('VmHWM') };
}

/** Processor time, the kernel's on its behalf included; 0 of a process that is gone. */
export function readCpuSeconds(pid: number): number {
  const [user = 0, system = 0] = statFields(pid).slice(11, 13);
  return (user + system) / 100;
}

/** The same of a process with its threads and children, those that ended and were waited for included. */
export function readFamilyCpuSeconds(pid: number): number {
  const fields = statFields(pid);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  const children = globSync(`/proc/${pid}/task/*/children`)
    .flatMap((file) => read(file).split(' '))
    .filter((child) => child !== '')
    .reduce((sum, child) => sum + readFamilyCpuSeconds(Number(child)), 0);
  return (user + system + childrenUser + childrenSystem) / 100 + children;
}

/** What follows the name in parentheses: the 12th and 13th are user and system time, in hundredths of a second. */
function statFields(pid: number): readonly number[] {
  return read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
