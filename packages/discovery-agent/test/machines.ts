import { cpus, x86 } from './machines/cpus.ts';
import { nvme, otherBlockDevices } from './machines/disks.ts';
import { dmi, uefi } from './machines/firmware.ts';
import { memory } from './machines/memory.ts';
import { nic } from './machines/nics.ts';
import { files, merge } from './machines/parts.ts';
import { pciIds } from './machines/pci-ids.ts';
import { pci } from './machines/pci.ts';
import type { PciShape } from './machines/pci.ts';
import type { Tree } from './tree.ts';

export const uuid = '4c4c4544-0042-3510-8052-b4c04f4e3332';

const onRootBus = (address: string, ids: readonly [number, number], classId: number, driver?: string): PciShape => ({
  path: ['pci0000:00', address],
  ids,
  classId,
  ...(driver !== undefined && { driver }),
});
const ports = [0, 1].map((port) => onRootBus(`0000:01:00.${port}`, [0x15b3, 0x1017], 0x020000, 'mlx5_core'));

/** A small one for tests of other things: AMD EPYC 9354P with two H100, four NVMe disks, a ConnectX-5, a BMC's screen. */
export const epyc: Tree = merge(
  cpus({
    sockets: 1,
    coresPerSocket: 32,
    threadsPerCore: 2,
    cpuinfo: x86('AuthenticAMD', 'AMD EPYC 9354P 32-Core Processor', '0xa101148'),
  }),
  memory(2 ** 31, [{ cpus: '0-63', blocks: 192, distances: [10] }]),
  ...ports.map((device, port) =>
    merge(
      pci(device),
      nic({ name: `eth${port}`, mac: `0c:42:a1:00:00:1${port}`, device, megabits: port === 0 ? 100_000 : 0 }),
    ),
  ),
  pci(onRootBus('0000:41:00.0', [0x10de, 0x2330], 0x030200)),
  pci(onRootBus('0000:c1:00.0', [0x10de, 0x2330], 0x030200)),
  pci(onRootBus('0000:c3:00.0', [0x1a03, 0x2000], 0x030000)),
  ...[0, 1, 2, 10].map((number) =>
    nvme({
      number,
      pci: onRootBus(`0000:0${(number + 2).toString(16)}:00.0`, [0x144d, 0xa80a], 0x010802, 'nvme'),
      model: 'SAMSUNG MZQL23T8HCLS-00A07',
      serial: `S64HNE0T1000${number}`,
      firmware: 'GDC5602Q',
      eui64: `00253858${number.toString(16).padStart(8, '0')}`,
      sizeBytes: 3_840_755_982_336,
    }),
  ),
  otherBlockDevices(),
  files('/sys/block/sr0', { size: 2_097_151 }),
  files('/sys/block/sdz', { size: 1000, removable: 1 }),
  dmi({
    product_uuid: uuid.toUpperCase(),
    product_serial: 'S432871X1A11234',
    sys_vendor: 'Supermicro',
    product_name: 'AS-1115HS-TNR',
    bios_vendor: 'American Megatrends International, LLC.',
    bios_version: '1.6',
    bios_date: '12/20/2023',
  }),
  uefi(true, false),
  files('/usr/share/misc', { 'pci.ids': pciIds }),
);

/** Two Xeon Gold 6230, SATA disk and a virtual function that is not a port of its own. */
export const twoSockets: Tree = {
  ...cpus({
    sockets: 2,
    coresPerSocket: 20,
    threadsPerCore: 2,
    cpuinfo: x86('GenuineIntel', 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', '0x5003604'),
  }),
  '/proc/meminfo': 'MemTotal:       394867456 kB\n',
  '/sys/block/sda/size': '1875385008\n',
  '/sys/block/sda/device/model': 'INTEL SSDSC2KB96\n',
  '/sys/block/sda/device/rev': '0132\n',
  '/sys/block/sda/device/vpd_pg80': Buffer.concat([Buffer.from([0, 0x80, 0, 18]), Buffer.from('PHYF123400AB960CGN')]),
  '/sys/class/net/eth0/address': '3c:fd:fe:00:00:01\n',
  '/sys/class/net/eth0/type': '1\n',
  '/sys/class/net/eth0/addr_assign_type': '0\n',
  '/sys/class/net/eth0/device/driver': { link: '/sys/bus/pci/drivers/i40e' },
  '/sys/class/net/eth5/address': '3c:fd:fe:00:00:05\n',
  '/sys/class/net/eth5/type': '1\n',
  '/sys/class/net/eth5/device/physfn': '',
  '/sys/class/net/lo/address': '00:00:00:00:00:00\n',
  '/sys/class/dmi/id/product_uuid': '00000000-0000-0000-0000-000000000000\n',
  '/sys/class/dmi/id/product_serial': `${uuid}\n`,
};
