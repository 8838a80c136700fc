import type { Cpu } from './inventory/cpus.ts';
import { GpuKind, isRented } from './inventory/gpus.ts';
import type { Gpu } from './inventory/gpus.ts';
import { Transport } from './inventory/disks/disk.ts';
import type { Disk } from './inventory/disks/disk.ts';
import type { Inventory } from './inventory/inventory.ts';
import { isRegistered } from './inventory/nics.ts';
import type { Nic } from './inventory/nics.ts';
import { alignColumns } from './text-columns.ts';

const gib = (bytes: number): string => `${Number((bytes / 2 ** 30).toFixed(1))} GiB`;
/** Disks are sold by powers of ten. */
const decimal = (bytes: number): string =>
  bytes >= 1e12 ? `${Number((bytes / 1e12).toFixed(2))} TB` : `${Number((bytes / 1e9).toFixed(1))} GB`;
const words = (...items: readonly string[]): string => items.filter((item) => item !== '').join(' ');
const list = (...items: readonly string[]): string => items.filter((item) => item !== '').join(', ');
const named = (what: string, value: string): string => (value === '' ? '' : `${what} ${value}`);
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** For a person: one paragraph a part, in columns; `controller` is that of the BMC, which the inventory does not know. */
export function inventoryLines(inventory: Inventory, controller: readonly string[]): string[] {
  const { memory, numa, disks, storage, nics, problems } = inventory;
  const modules = `${count(memory.dimms.length, 'module')} in ${count(memory.slots, 'slot')}`;
  const correction = named('error correction', memory.errorCorrection);
  return [
    ...alignColumns(machineRows(inventory)),
    ...section('Processors', inventory.cpus.map(cpuRow)),
    '',
    `Memory: ${list(gib(memory.sizeBytes), memory.slots === 0 ? '' : modules, correction)}`,
    ...rows(
      memory.dimms.map((dimm) => [
        dimm.locator,
        gib(dimm.sizeBytes),
        dimm.type,
        dimm.configuredMts === dimm.speedMts || dimm.configuredMts === 0
          ? `${dimm.speedMts} MT/s`
          : `${dimm.configuredMts} of ${dimm.speedMts} MT/s`,
        { true: 'ECC', false: 'no ECC', undefined: '' }[`${dimm.ecc}`],
        dimm.manufacturer,
        dimm.partNumber,
        named('serial', dimm.serial),
      ]),
    ),
    ...section(
      'NUMA nodes',
      // One node is no news.
      numa.length < 2
        ? []
        : numa.map(({ node, sizeBytes, cpus, distances }) => [
            `node ${node}`,
            gib(sizeBytes),
            named('cpus', cpus),
            named('distances', distances.join(' ')),
          ]),
    ),
    ...section(
      'Storage controllers',
      storage.map(({ address, kind, vendor, model, driver }) => [address, kind, words(vendor, model), driver]),
    ),
    ...section(
      'Disks',
      disks.map((disk) => [
        disk.name,
        decimal(disk.sizeBytes),
        disk.raidVolume ? words('RAID volume', disk.raidLevel) : disk.transport,
        // What the host of a virtual machine keeps the bytes on is not known to it: "rotating" is virtio's default.
        disk.rotational && disk.transport !== Transport.VIRTIO ? 'rotating' : '',
        disk.readOnly ? 'read-only' : '',
        disk.model,
        named('serial', disk.serial),
        named('firmware', disk.firmware),
        condition(disk),
        disk.wwn,
      ]),
    ),
    ...section('Graphics and accelerators', inventory.gpus.map(gpuRow)),
    ...section('Network', nics.map(nicRow)),
    ...(controller.length === 0 ? [] : ['', ...controller]),
    ...section(
      'Problems',
      problems.map((problem) => [problem]),
    ),
  ];
}

function section(title: string, cells: readonly (readonly string[])[]): string[] {
  return cells.length === 0 ? [] : ['', title, ...rows(cells)];
}

function rows(cells: readonly (readonly string[])[]): string[] {
  return alignColumns(cells).map((line) => `  ${line}`);
}

function machineRows({ firmware, tpms, problems }: Inventory): string[][] {
  const { system, board, chassis, bios } = firmware;
  const cells: string[][] = [
    ['UUID', firmware.uuid ?? 'none'],
    ['System', list(words(system.vendor, system.name), named('serial', system.serial))],
    ['Board', list(words(board.vendor, board.name, board.version), named('serial', board.serial))],
    ['Chassis', list(words(chassis.vendor, chassis.name), named('serial', chassis.serial))],
    ['Firmware', list(words(bios.vendor, bios.version), bios.date)],
    ['Boot', firmware.bootMode === 'bios' ? 'BIOS' : `UEFI, Secure Boot ${secureBootTexts[firmware.secureBoot]}`],
    ...tpms.map((tpm) => ['TPM', list(words(tpm.version, tpm.vendor), named('firmware', tpm.firmware))]),
    // Not there, or not found out, which is among the problems.
    ...(tpms.length > 0 || problems.some((problem) => problem.startsWith('tpms: ')) ? [] : [['TPM', 'none']]),
  ];
  return cells.filter(([, value]) => value !== '');
}

const secureBootTexts = {
  on: 'on',
  off: 'off',
  setup: 'in setup mode',
  unsupported: 'not supported',
  unknown: 'unknown',
} as const;

function cpuRow({ socket, slot, model, vendor, cores, threads, hybrid, maxMhz, microcode }: Cpu): string[] {
  const kinds = hybrid && ` (${hybrid.performanceCores} performance, ${hybrid.efficientCores} efficient)`;
  return [
    slot || `CPU ${socket}`,
    model || vendor,
    `${count(cores, 'core')}${kinds ?? ''}`,
    count(threads, 'thread'),
    maxMhz === 0 ? '' : `${maxMhz} MHz`,
    named('microcode', microcode),
  ];
}

function gpuRow({ address, kind, vendor, model, driver, memory, link, numaNode }: Gpu): string[] {
  return [
    address,
    kind === GpuKind.Management ? 'BMC screen' : kind,
    words(vendor, model),
    memory === undefined ? '' : `${memory.source === 'window' ? 'at most ' : ''}${gib(memory.sizeBytes)}`,
    link === undefined ? '' : `${link.speedGts} GT/s ×${link.width} of ${link.maxSpeedGts} GT/s ×${link.maxWidth}`,
    numaNode === undefined ? '' : `node ${numaNode}`,
    driver,
  ];
}

/** What the disk says of itself, once it was asked. */
function condition({ health, smart }: Disk): string {
  const told = health?.ok === true ? health.value : smart?.ok === true ? smart.value : {};
  const { percentageUsed, temperatureCelsius } = told;
  return list(
    percentageUsed === undefined ? '' : `${percentageUsed} % worn`,
    temperatureCelsius === undefined ? '' : `${temperatureCelsius} °C`,
  );
}

function nicRow(nic: Nic): string[] {
  return [
    nic.name,
    nic.link === 'infiniband' ? `InfiniBand ${nic.guid}` : nic.mac,
    nic.carrier ? words('link', speed(nic.speedBitsPerSecond)) : 'no link',
    list(nic.towardsBmc ? 'to the BMC' : '', isRegistered(nic) ? '' : 'not registered'),
    words(nic.vendor, nic.model),
    nic.driver,
    named('firmware', nic.firmware),
    nic.pci?.address ?? '',
  ];
}

function speed(bitsPerSecond: number): string {
  return bitsPerSecond === 0 ? '' : `${bitsPerSecond / 1e9} Gbit/s`;
}

/** One line for the console. */
export function inventorySummary({ cpus, memory, disks, gpus, nics }: Inventory): string {
  const cores = cpus.reduce((sum, cpu) => sum + cpu.cores, 0);
  return list(
    `${cpus.length} CPU`,
    count(cores, 'core'),
    gib(memory.sizeBytes),
    count(disks.length, 'disk'),
    count(gpus.filter(({ kind }) => isRented(kind)).length, 'GPU'),
    count(nics.length, 'NIC'),
  );
}
