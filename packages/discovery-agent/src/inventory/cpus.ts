import type { Sysfs } from '../sysfs.ts';
import type { Source } from './collector.ts';
import { formatCpuList, parseCpuList } from './cpu-list.ts';
import { parseCpuinfo } from './cpuinfo.ts';
import type { Cpuinfo } from './cpuinfo.ts';
import { smbiosProcessors } from './smbios-processors.ts';

/** One processor package, that is, one socket. */
export interface Cpu {
  /** The kernel's number of the package. */
  readonly socket: number;
  /** As printed on the board; empty without SMBIOS. */
  readonly slot: string;
  /** As the processor itself says: `GenuineIntel`, `AuthenticAMD`; of an arm64 processor its implementer: `ARM`. */
  readonly vendor: string;
  readonly model: string;
  readonly cores: number;
  /** Logical processors that are online. */
  readonly threads: number;
  /** Where cores differ in kind: how many of which. */
  readonly hybrid?: { readonly performanceCores: number; readonly efficientCores: number };
  /** Turbo included; 0 when unknown. */
  readonly maxMhz: number;
  readonly microcode: string;
}

interface Package {
  readonly first: number;
  readonly cores: Set<string>;
  readonly efficient: Set<string>;
  threads: number;
}

const directory = '/sys/devices/system/cpu';

/** One entry per socket, in the order of the package numbers. */
export function readCpus({ sysfs, smbios, problem }: Source): Cpu[] {
  const info = parseCpuinfo(sysfs.text('/proc/cpuinfo') ?? '');
  const { online, offline } = readOnline(sysfs);
  const packages = online.length > 0 ? packagesOf(sysfs, online) : packagesOfCpuinfo(info);
  if (packages.size === 0) problem(`none found in ${directory} or /proc/cpuinfo`);
  // Switching hyper-threading off takes the second thread of every core offline; that misses nothing.
  const smt = sysfs.text(`${directory}/smt/control`) ?? '';
  if (offline.length > 0 && !smt.endsWith('off'))
    problem(`logical processors ${formatCpuList(offline)} are offline and not counted`);
  const fitted = smbiosProcessors(smbios());
  if (fitted.length > packages.size && packages.size > 0)
    problem(`SMBIOS lists ${fitted.length} processors, the kernel runs ${packages.size}`);
  return [...packages]
    .sort(([a], [b]) => a - b)
    .map(([socket, { first, cores, efficient, threads }], index) => {
      const entry = info.entry(first) ?? info.entry(info.numbers[0] ?? 0);
      // SMBIOS and the kernel number sockets independently; as many of both are taken to be in the same order.
      const slot = fitted.length === packages.size ? fitted[index] : undefined;
      const kilohertz = sysfs.integer(`${directory}/cpu${first}/cpufreq/cpuinfo_max_freq`);
      return {
        socket,
        slot: slot?.slot ?? '',
        vendor: entry?.vendor || slot?.manufacturer || '',
        model: (entry?.modelIsItsOwn === true ? entry.model : '') || slot?.version || entry?.model || '',
        cores: cores.size,
        threads,
        ...(efficient.size > 0 &&
          efficient.size < cores.size && {
            hybrid: { performanceCores: cores.size - efficient.size, efficientCores: efficient.size },
          }),
        maxMhz: kilohertz === undefined ? (slot?.maxMhz ?? 0) : Math.round(kilohertz / 1000),
        microcode: entry?.microcode ?? '',
      };
    });
}

function readOnline(sysfs: Sysfs): { readonly online: number[]; readonly offline: number[] } {
  const numbers = sysfs.list(directory).flatMap((name) => /^cpu(\d{1,5})$/.exec(name)?.[1] ?? []);
  // cpu0 often has no `online` file: it cannot be taken offline.
  const isOnline = (number: string): boolean => sysfs.integer(`${directory}/cpu${number}/online`) !== 0;
  return {
    online: numbers.filter(isOnline).map(Number),
    offline: numbers.filter((number) => !isOnline(number)).map(Number),
  };
}

function packagesOf(sysfs: Sysfs, online: readonly number[]): Map<number, Package> {
  const packages = new Map<number, Package>();
  const isEfficient = efficientCpus(sysfs, online);
  for (const number of online) {
    const topology = `${directory}/cpu${number}/topology`;
    // -1 means that the platform does not say, as in small virtual machines.
    const socket = Math.max(0, sysfs.integer(`${topology}/physical_package_id`) ?? 0);
    // A core's id may come again on another die; the list of its threads is its own.
    const core = sysfs.text(`${topology}/core_cpus_list`) ?? coreOf(sysfs, topology, number);
    const entry = packages.get(socket) ?? { first: number, cores: new Set(), efficient: new Set(), threads: 0 };
    entry.cores.add(core);
    if (isEfficient(number)) entry.efficient.add(core);
    entry.threads += 1;
    packages.set(socket, entry);
  }
  return packages;
}

function coreOf(sysfs: Sysfs, topology: string, number: number): string {
  return `${sysfs.integer(`${topology}/die_id`) ?? 0}/${sysfs.integer(`${topology}/core_id`) ?? number}`;
}

/**
 * Intel's kernel driver lists the efficient cores as an own performance unit; arm64 gives every processor a capacity,
 * 1024 for the strongest.
 */
function efficientCpus(sysfs: Sysfs, online: readonly number[]): (number: number) => boolean {
  const atoms = parseCpuList(
    ['cpu_atom', 'cpu_lowpower'].map((unit) => sysfs.text(`/sys/devices/${unit}/cpus`)).join(),
  );
  if (atoms.size > 0) return (number) => atoms.has(number);
  const capacity = (number: number): number => sysfs.integer(`${directory}/cpu${number}/cpu_capacity`) ?? 0;
  if (capacity(online[0] ?? 0) === 0) return () => false;
  const capacities = new Map(online.map((number) => [number, capacity(number)]));
  const strongest = [...capacities.values()].reduce((most, each) => Math.max(most, each), 0);
  return (number) => (capacities.get(number) ?? 0) < strongest;
}

/** Where sysfs has no processors, as in some containers. */
function packagesOfCpuinfo(info: Cpuinfo): Map<number, Package> {
  const packages = new Map<number, Package>();
  for (const number of info.numbers) {
    const { socket, core } = info.entry(number) ?? { socket: 0, core: '' };
    const entry = packages.get(socket) ?? { first: number, cores: new Set(), efficient: new Set(), threads: 0 };
    entry.cores.add(core);
    entry.threads += 1;
    packages.set(socket, entry);
  }
  return packages;
}
