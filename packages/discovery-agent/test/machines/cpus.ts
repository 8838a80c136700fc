import { formatCpuList } from '../../src/inventory/cpu-list.ts';
import type { Tree } from '../tree.ts';
import { files, merge } from './parts.ts';

export interface CpuShape {
  readonly sockets: number;
  readonly coresPerSocket: number;
  readonly threadsPerCore: number;
  /** Lines of /proc/cpuinfo that are the same for every processor. */
  readonly cpuinfo: readonly string[];
  readonly maxKilohertz?: number;
  /** Logical processors that are there, but switched off. */
  readonly offline?: readonly number[];
}

export function x86(vendor: string, model: string, microcode: string): readonly string[] {
  return [`vendor_id\t: ${vendor}`, `model name\t: ${model}`, `microcode\t: ${microcode}`, 'flags\t\t: fpu vme de'];
}

/** Logical processors numbered as firmware does on x86: first threads of all cores of all sockets, then their siblings. */
export function cpus({ sockets, coresPerSocket, threadsPerCore, cpuinfo, maxKilohertz, offline = [] }: CpuShape): Tree {
  const cores = sockets * coresPerSocket;
  const numbers = Array.from({ length: cores * threadsPerCore }, (_, number) => number);
  const isOnline = (number: number): boolean => !offline.includes(number);
  const directory = '/sys/devices/system/cpu';
  const trees = numbers.map((number) => {
    const core = number % cores;
    const siblings = numbers.filter((other) => other % cores === core).filter(isOnline);
    const at = `${directory}/cpu${number}`;
    return merge(
      number === 0 ? {} : files(at, { online: isOnline(number) ? 1 : 0 }),
      // The kernel takes the topology of a processor away that is switched off.
      !isOnline(number)
        ? {}
        : files(`${at}/topology`, {
            physical_package_id: Math.floor(core / coresPerSocket),
            core_id: core % coresPerSocket,
            die_id: 0,
            core_cpus_list: formatCpuList(siblings),
          }),
      maxKilohertz === undefined ? {} : files(`${at}/cpufreq`, { cpuinfo_max_freq: maxKilohertz }),
    );
  });
  const blocks = numbers.filter(isOnline).map((number) => [`processor\t: ${number}`, ...cpuinfo, ''].join('\n'));
  return merge(
    ...trees,
    files(directory, { online: formatCpuList(numbers.filter(isOnline)), present: formatCpuList(numbers) }),
    files('/proc', { cpuinfo: blocks.join('\n') }),
  );
}
