import type { Tree } from '../tree.ts';
import { cpus } from './cpus.ts';
import { memory } from './memory.ts';
import { loopback, nic } from './nics.ts';
import { files, link, merge } from './parts.ts';
import { pciIds } from './pci-ids.ts';
import { pci } from './pci.ts';
import type { PciShape } from './pci.ts';

const virtio = (slot: number, device: number, classId: number): PciShape => ({
  path: ['pci0000:00', `0000:00:0${slot}.0`],
  ids: [0x1af4, device],
  board: [0x1af4, device],
  classId,
  driver: 'virtio-pci',
  ranges: [[2 ** 19, 0x140204]],
});
const disk = '/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda';

/**
 * A machine that this was written on, its bytes trimmed and its addresses changed: a small virtual machine without
 * SMBIOS, UEFI, disks' names or caches worth the name.
 */
export const microvm: Tree = merge(
  cpus({
    sockets: 1,
    coresPerSocket: 2,
    threadsPerCore: 1,
    cpuinfo: [
      'vendor_id\t: AuthenticAMD',
      'cpu family\t: 25',
      'model\t\t: 17',
      'model name\t: AMD EPYC',
      'stepping\t: 1',
      'microcode\t: 0x1000065',
      'cpu MHz\t\t: 2596.124',
      'cache size\t: 1024 KB',
      'physical id\t: 0',
      'siblings\t: 2',
      'cpu cores\t: 2',
      'flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 hypervisor',
      'address sizes\t: 48 bits physical, 48 bits virtual',
      'power management:',
    ],
  }),
  files('/sys/devices/system/cpu/smt', { control: 'notsupported' }),
  memory(0x800_0000, [{ cpus: '0-1', blocks: 192, distances: [10] }]),
  files('/proc', { meminfo: 'MemTotal:       24684100 kB\nMemFree:        21850136 kB' }),
  files('/sys/firmware/memmap/0', { start: '0x0', end: '0x9fbff', type: 'System RAM' }),
  files('/sys/firmware/memmap/4', { start: '0x100000000', end: '0x63fffffff', type: 'System RAM' }),
  pci({ path: ['pci0000:00', '0000:00:00.0'], ids: [0x8086, 0x0d57], classId: 0x060000 }),
  pci(virtio(1, 0x1045, 0xffff00)),
  pci(virtio(2, 0x1042, 0x018000)),
  files(disk, { size: 536_870_912, removable: 0, hidden: 0, ro: 0, serial: 'rootfs' }),
  files(`${disk}/queue`, { rotational: 1, logical_block_size: 512, physical_block_size: 4096 }),
  link(`${disk}/device`, '/sys/devices/pci0000:00/0000:00:02.0/virtio1'),
  link('/sys/block/vda', disk),
  pci(virtio(3, 0x1041, 0x020000)),
  nic({ name: 'eth0', mac: '06:00:ac:10:00:02', device: virtio(3, 0x1041, 0x020000), below: 'virtio2', megabits: 0 }),
  loopback(),
  pci(virtio(4, 0x1053, 0xffff00)),
  pci(virtio(5, 0x1044, 0xffff00)),
  files('/usr/share/misc', { 'pci.ids': pciIds }),
);
