import { readFileSync } from 'node:fs';

/** Resident memory in MB, now and at most; 0 of a process that is gone. */
export function readMemoryMb(pid: number): { readonly now: number; readonly most: number } {
  const status = read(`/proc/${pid}/status`);
  const field = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024);
  return { now: field('VmRSS'), most: field('VmHWM') };
}

/** Processor time, the kernel's on its behalf included; 0 of a process that is gone. */
export function readCpuSeconds(pid: number): number {
  // What follows the name in parentheses: the 12th and 13th are user and system time, in hundredths of a second.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  return ((fields[11] ?? 0) + (fields[12] ?? 0)) / 100;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
