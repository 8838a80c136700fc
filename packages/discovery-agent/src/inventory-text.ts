import { isRented } from './inventory/gpus.ts';
import type { Inventory } from './inventory/inventory.ts';
import { isRegistered } from './inventory/nics.ts';
import type { Nic } from './inventory/nics.ts';

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** A few lines for a person. */
export function inventoryLines(inventory: Inventory): string[] {
  const { firmware, cpus, memory, disks, gpus, nics, problems } = inventory;
  return [
    `uuid ${firmware.uuid ?? 'none'}, ${firmware.system.vendor} ${firmware.system.name}, ${firmware.bootMode} boot`,
    `bios ${firmware.bios.vendor} ${firmware.bios.version} ${firmware.bios.date}`,
    ...cpus.map((cpu, socket) => `cpu ${socket}: ${cpu.model}, ${cpu.cores} cores, ${cpu.threads} threads`),
    `memory ${gib(memory.sizeBytes)}, ${memory.dimms.length} modules`,
    ...disks.map((disk) =>
      [`disk ${disk.name} ${gib(disk.sizeBytes)}`, disk.model, disk.serial].filter((item) => item !== '').join(', '),
    ),
    ...gpus.map((gpu) => `gpu ${gpu.address} ${gpu.vendor} ${gpu.model}`),
    ...nics.map(nicLine),
    ...problems.map((problem) => `problem: ${problem}`),
  ];
}

function nicLine(nic: Nic): string {
  const address = nic.link === 'infiniband' ? `InfiniBand ${nic.guid}` : nic.mac;
  return [
    `nic ${nic.name} ${address} ${nic.driver}`,
    nic.carrier ? 'link' : 'no link',
    ...(nic.towardsBmc ? ['to the BMC'] : []),
    ...(isRegistered(nic) ? [] : ['not registered']),
  ].join(', ');
}

/** One line for the console. */
export function inventorySummary({ cpus, memory, disks, gpus, nics }: Inventory): string {
  const cores = cpus.reduce((sum, cpu) => sum + cpu.cores, 0);
  return (
    `${cpus.length} CPU, ${cores} cores, ${gib(memory.sizeBytes)}, ${disks.length} disks, ` +
    `${gpus.filter(({ kind }) => isRented(kind)).length} GPUs, ${nics.length} NICs`
  );
}
