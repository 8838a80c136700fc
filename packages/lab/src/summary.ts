import type { apiV2 } from '@ingot/api';
import type { RackMachine } from './rack.ts';
import { phases } from './timeline.ts';

/** Bytes as people buy memory (GiB) and disks (GB). */
function gibibytes(bytes: bigint): string {
  return `${(Number(bytes) / 2 ** 30).toFixed(1)} GiB`;
}
function gigabytes(bytes: bigint): string {
  return `${Math.round(Number(bytes) / 1e9)} GB`;
}

function rows(table: readonly (readonly [string, string])[]): string {
  return table.map(([name, value]) => `  ${name.padEnd(10)} ${value}`).join('\n');
}

/** What the API knows of a machine, as a table for people. */
export function describeMachine(name: string, machine: apiV2.Machine): string {
  const { hardware } = machine;
  const table: [string, string][] = [
    ['UUID', machine.uuid],
    ['rack', machine.rack === '' ? '-' : machine.rack],
  ];
  for (const cpu of hardware?.cpus ?? [])
    table.push(['CPU', `${cpu.model}, ${cpu.cores} cores, ${cpu.threads} threads`]);
  for (const gpu of hardware?.gpus ?? []) table.push(['GPU', `${gpu.vendor} ${gpu.model}`]);
  table.push(['memory', gibibytes(hardware?.memory ?? 0n)]);
  for (const disk of hardware?.disks ?? [])
    table.push([
      'disk',
      `${disk.name.padEnd(14)} ${gigabytes(disk.size).padStart(7)}  ${labelOf(machine, disk.name)}`.trimEnd(),
    ]);
  for (const nic of hardware?.nics ?? []) {
    const cables = nic.neighbors.map((neighbor) => `${neighbor.hostname} ${neighbor.identifier}`).join(', ');
    table.push(['NIC', `${nic.name.padEnd(8)} ${nic.mac}  ${cables === '' ? 'no LLDP neighbour' : `→ ${cables}`}`]);
  }
  return `${name}\n${rows(table)}`;
}

/**
 * Model and serial number of a disk. What the agent tells beyond upstream's messages travels as labels:
 * `ingot.inventory.disk/<name>` is `<model>;<serial>;<firmware>;<bytes>`.
 */
function labelOf(machine: apiV2.Machine, disk: string): string {
  const label = machine.meta?.labels?.labels[`ingot.inventory.disk/${disk.replace('/dev/', '')}`];
  if (label === undefined) return '';
  const [model, serial] = label.split(';');
  return `${model}, serial ${serial}`;
}

/** One line of times: seconds from power-on to each phase. */
export function describeTimes(machine: RackMachine): string {
  return phases
    .filter((phase) => machine.timeline.reachedMs.has(phase))
    .map((phase) => `${phase} ${((machine.timeline.reachedMs.get(phase) ?? 0) / 1000).toFixed(1)}`)
    .join(' · ');
}
