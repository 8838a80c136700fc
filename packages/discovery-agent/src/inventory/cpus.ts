import type { Source } from './collector.ts';

/** One processor package, that is, one socket. */
export interface Cpu {
  /** As the processor itself says: `GenuineIntel`, `AuthenticAMD`. Empty where the kernel tells none (arm64). */
  readonly vendor: string;
  readonly model: string;
  readonly cores: number;
  /** Logical processors that are online. */
  readonly threads: number;
}

/** One entry per socket, in the order of the package numbers. */
export function readCpus({ sysfs, problem }: Source): Cpu[] {
  const info = readCpuinfo(sysfs.text('/proc/cpuinfo') ?? '');
  const directory = '/sys/devices/system/cpu';
  const packages = new Map<number, { first: number; cores: Set<string>; threads: number }>();
  for (const name of sysfs.list(directory)) {
    const number = /^cpu(\d+)$/.exec(name)?.[1];
    if (number === undefined) continue;
    // cpu0 often has no `online` file: it cannot be taken offline.
    if (sysfs.integer(`${directory}/${name}/online`) === 0) continue;
    const topology = `${directory}/${name}/topology`;
    // -1 means that the platform does not say, as in small virtual machines.
    const socket = Math.max(0, sysfs.integer(`${topology}/physical_package_id`) ?? 0);
    const core = sysfs.integer(`${topology}/core_id`) ?? Number(number);
    const die = sysfs.integer(`${topology}/die_id`) ?? 0;
    const entry = packages.get(socket) ?? { first: Number(number), cores: new Set<string>(), threads: 0 };
    entry.cores.add(`${die}/${core}`);
    entry.threads += 1;
    packages.set(socket, entry);
  }
  if (packages.size === 0) problem('none found in /sys/devices/system/cpu');
  return [...packages]
    .sort(([a], [b]) => a - b)
    .map(([, { first, cores, threads }]) => {
      const { vendor = '', model = '' } = info.get(first) ?? info.values().next().value ?? {};
      return { vendor, model, cores: cores.size, threads };
    });
}

function readCpuinfo(text: string): Map<number, { vendor: string; model: string }> {
  const processors = new Map<number, { vendor: string; model: string }>();
  for (const block of text.split(/\n\s*\n/)) {
    const fields = new Map(
      block.split('\n').map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const number = Number(fields.get('processor') ?? Number.NaN);
    if (Number.isNaN(number)) continue;
    const model = (fields.get('model name') ?? fields.get('CPU part') ?? '').replaceAll(/\s+/g, ' ');
    processors.set(number, { vendor: fields.get('vendor_id') ?? fields.get('CPU implementer') ?? '', model });
  }
  return processors;
}
