import { expect, test } from 'vitest';
import { formatCpuList, parseCpuList } from '../src/inventory/cpu-list.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import type { Inventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';
import { cpus, x86 } from './machines/cpus.ts';
import { files, merge } from './machines/parts.ts';
import { processor, smbios } from './machines/smbios-table.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

function inventoryOf(...trees: readonly Tree[]): Inventory {
  using machine = plant(merge(...trees));
  return takeInventory(openSysfs(machine.root));
}

const about = (inventory: Inventory): string[] => inventory.problems.filter((problem) => problem.startsWith('cpus:'));
const xeon = x86('GenuineIntel', 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', '0x5003604');
const arm = (implementer: string, part: string): readonly string[] => [
  `CPU implementer\t: ${implementer}`,
  `CPU part\t: ${part}`,
];
const two = { sockets: 2, coresPerSocket: 4, threadsPerCore: 2, cpuinfo: xeon };

test('768 threads of two sockets are all counted', () => {
  const inventory = inventoryOf(cpus({ ...two, coresPerSocket: 192 }));
  expect(inventory.cpus.map(({ socket, cores, threads }) => [socket, cores, threads])).toEqual([
    [0, 192, 384],
    [1, 192, 384],
  ]);
});

test('a core of which one thread is off is a core; which are off is said', () => {
  const inventory = inventoryOf(cpus({ ...two, offline: [5, 14, 15] }));
  expect(inventory.cpus).toMatchObject([
    { cores: 4, threads: 8 },
    { cores: 4, threads: 5 },
  ]);
  expect(about(inventory)).toEqual(['cpus: logical processors 5,14-15 are offline and not counted']);
});

test('hyper-threading that is switched off is no problem', () => {
  const offline = [8, 9, 10, 11, 12, 13, 14, 15];
  const inventory = inventoryOf(cpus({ ...two, offline }), files('/sys/devices/system/cpu/smt', { control: 'off' }));
  expect(inventory.cpus).toMatchObject([
    { cores: 4, threads: 4 },
    { cores: 4, threads: 4 },
  ]);
  expect(about(inventory)).toEqual([]);
});

test('cores of two kinds are told apart: by the performance units on x86, by the capacity on arm64', () => {
  const tree = cpus({ sockets: 1, coresPerSocket: 12, threadsPerCore: 1, cpuinfo: xeon });
  const intel = inventoryOf(
    tree,
    files('/sys/devices/cpu_core', { cpus: '0-3' }),
    files('/sys/devices/cpu_atom', { cpus: '4-11' }),
  );
  expect(intel.cpus[0]?.hybrid).toEqual({ performanceCores: 4, efficientCores: 8 });
  const capacities = Array.from({ length: 12 }, (_, number) =>
    files(`/sys/devices/system/cpu/cpu${number}`, { cpu_capacity: number < 10 ? 381 : 1024 }),
  );
  expect(inventoryOf(tree, ...capacities).cpus[0]?.hybrid).toEqual({ performanceCores: 2, efficientCores: 10 });
  expect(inventoryOf(tree).cpus[0]).not.toHaveProperty('hybrid');
});

test.each([
  ['0x41', '0xd4f', 'ARM', 'Neoverse-V2'],
  ['0xc0', '0xac4', 'Ampere', 'Ampere-1a'],
  ['0x48', '0xd01', 'HiSilicon', 'TaiShan-v110'],
  ['0x41', '0xfff', 'ARM', '0xfff'],
  ['0x7f', '0x001', '0x7f', '0x1'],
])('an arm64 processor of implementer %s and part %s is %s %s', (implementer, part, vendor, model) => {
  const tree = cpus({ sockets: 1, coresPerSocket: 2, threadsPerCore: 1, cpuinfo: arm(implementer, part) });
  expect(inventoryOf(tree).cpus).toMatchObject([{ vendor, model, cores: 2, threads: 2 }]);
});

test('SMBIOS names an arm64 processor that the kernel cannot name, and not an x86 one that names itself', () => {
  const table = smbios(3, 3, [processor('CPU01', 'Ampere(R)', 'Ampere(R) Altra(R) Processor', 3000)]);
  const altra = cpus({ sockets: 1, coresPerSocket: 2, threadsPerCore: 1, cpuinfo: arm('0x41', '0xd0c') });
  expect(inventoryOf(altra, table).cpus).toMatchObject([
    { slot: 'CPU01', vendor: 'ARM', model: 'Ampere(R) Altra(R) Processor', maxMhz: 3000 },
  ]);
  const own = inventoryOf(cpus({ ...two, sockets: 1 }), table);
  expect(own.cpus).toMatchObject([{ model: 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz' }]);
});

test('a socket that the kernel does not run is said', () => {
  const sockets = ['CPU1', 'CPU2'].map((slot) => processor(slot, 'Intel', 'Xeon', 4000));
  const inventory = inventoryOf(cpus({ ...two, sockets: 1 }), smbios(3, 2, sockets));
  expect(about(inventory)).toEqual(['cpus: SMBIOS lists 2 processors, the kernel runs 1']);
});

test('without sysfs /proc/cpuinfo counts', () => {
  const cpuinfo = [0, 1, 2, 3].map(
    (number) =>
      `processor\t: ${number}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: ${number >> 1}\ncore id\t\t: ${number & 1}\n`,
  );
  expect(inventoryOf(files('/proc', { cpuinfo: cpuinfo.join('\n') })).cpus).toMatchObject([
    { socket: 0, cores: 2, threads: 2, model: 'Xeon' },
    { socket: 1, cores: 2, threads: 2, model: 'Xeon' },
  ]);
});

test('lists of processors are read and written as the kernel does', () => {
  expect(formatCpuList(parseCpuList('0-2,4,511-513'))).toBe('0-2,4,511-513');
  expect(formatCpuList([])).toBe('');
  expect(parseCpuList('7-3,x').size).toBe(0);
  expect(parseCpuList('0-99999999999999').size).toBe(65_536);
});
