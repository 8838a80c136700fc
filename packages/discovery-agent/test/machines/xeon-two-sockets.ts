import type { Tree } from '../tree.ts';
import { cpus, x86 } from './cpus.ts';
import { otherBlockDevices, scsi } from './disks.ts';
import { dmi, tpm } from './firmware.ts';
import { memory } from './memory.ts';
import { loopback, nic } from './nics.ts';
import { files, merge } from './parts.ts';
import { pciIds } from './pci-ids.ts';
import { Range, pci } from './pci.ts';
import type { PciShape } from './pci.ts';
import { DimmType, dimm, emptySlot, memoryArray, processor, smbios } from './smbios-table.ts';

const raid: PciShape = {
  path: ['pci0000:17', '0000:17:00.0', '0000:18:00.0'],
  ids: [0x1000, 0x005d],
  board: [0x1028, 0x1f49],
  classId: 0x010400,
  driver: 'megaraid_sas',
  numaNode: 0,
  link: ['8.0', 8, '8.0', 8],
};

const ports: readonly PciShape[] = [0, 1, 2, 3].map((index) =>
  index < 2
    ? {
        path: ['pci0000:17', '0000:17:02.0', `0000:19:00.${index}`],
        ids: [0x8086, 0x1572],
        board: [0x1028, 0x1f99],
        classId: 0x020000,
        driver: 'i40e',
        numaNode: 0,
        link: ['8.0', 8, '8.0', 8],
      }
    : {
        path: ['pci0000:00', '0000:00:1c.0', `0000:01:00.${index - 2}`],
        ids: [0x8086, 0x1521],
        board: [0x1028, 0x1f98],
        classId: 0x020000,
        driver: 'igb',
        numaNode: 0,
        link: ['5.0', 4, '5.0', 4],
      },
);

const channels = ['1', '2', '3', '4', '5', '6'];

/** Dell PowerEdge R740: two Xeon Gold 6230, a Tesla T4, RAID volumes, four NICs, started by its BIOS; TPM 1.2. */
export const xeonTwoSockets: Tree = merge(
  cpus({
    sockets: 2,
    coresPerSocket: 20,
    threadsPerCore: 2,
    cpuinfo: x86('GenuineIntel', 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', '0x5003604'),
    maxKilohertz: 3_900_000,
  }),
  memory(2 ** 31, [
    { cpus: '0-19,40-59', blocks: 96, distances: [10, 21] },
    { cpus: '20-39,60-79', blocks: 96, distances: [21, 10] },
  ]),
  smbios(3, 2, [
    processor('CPU1', 'Intel', 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', 4000),
    processor('CPU2', 'Intel', 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', 4000),
    memoryArray,
    ...['A', 'B'].flatMap((socket) => [
      ...channels.map((channel) =>
        dimm({
          locator: `${socket}${channel}`,
          bank: 'Not Specified',
          sizeMebibytes: 32_768,
          type: DimmType.ddr4,
          speedMts: 2933,
          configuredMts: 2666,
          manufacturer: '00AD063200AD',
          serial: `2B0C1${socket}0${channel}`,
          partNumber: 'HMA84GR7CJR4N-WM',
        }),
      ),
      ...channels.map((channel) => emptySlot(`${socket}${Number(channel) + 6}`)),
    ]),
  ]),
  dmi({
    product_uuid: '4c4c4544-0042-3510-8052-b4c04f4e3332',
    product_serial: 'B5RN3Y2',
    product_name: 'PowerEdge R740',
    sys_vendor: 'Dell Inc.',
    board_vendor: 'Dell Inc.',
    board_name: '06WXJT',
    board_version: 'A01',
    board_serial: '.B5RN3Y2.CNFCP0000000AB.',
    chassis_vendor: 'Dell Inc.',
    chassis_type: 23,
    chassis_serial: 'B5RN3Y2',
    bios_vendor: 'Dell Inc.',
    bios_version: '2.19.1',
    bios_date: '06/04/2023',
    bios_release: '2.19',
  }),
  tpm('/sys/devices/pnp0/00:04', 'tpm_tis', {
    tpm_version_major: 1,
    caps: 'Manufacturer: 0x4e544300\nTCG version: 1.2\nFirmware version: 5.81',
  }),
  pci(raid),
  ...[0, 1].map((index) =>
    scsi({
      name: ['sda', 'sdb'][index] ?? '',
      host: 'host0',
      address: `0:2:${index}:0`,
      controller: raid,
      vendor: 'DELL',
      model: 'PERC H730 Mini',
      revision: '4.30',
      serial: `00a1b2c3d4e5f60${index}`,
      wwid: `naa.6d0946600a1b2c0${index}`,
      sizeBytes: [479_559_942_144, 7_999_376_588_800][index] ?? 0,
      rotational: index === 1,
    }),
  ),
  otherBlockDevices(),
  ...ports.map((device, index) =>
    merge(
      pci(device),
      nic({
        name: `eth${index}`,
        mac: `e4:43:4b:00:00:1${index}`,
        device,
        megabits: [10_000, 10_000, 0, 0][index] ?? 0,
      }),
    ),
  ),
  loopback(),
  pci({
    path: ['pci0000:3a', '0000:3a:00.0', '0000:3b:00.0'],
    ids: [0x10de, 0x1eb8],
    board: [0x10de, 0x12a2],
    classId: 0x030200,
    numaNode: 0,
    link: ['2.5', 16, '8.0', 16],
    ranges: [
      [2 ** 24, 0x40200],
      [2 ** 28, Range.prefetchable64],
      [0, 0],
      [2 ** 25, Range.prefetchable64],
    ],
  }),
  pci({
    path: ['pci0000:00', '0000:00:1c.4', '0000:02:00.0', '0000:03:00.0'],
    ids: [0x102b, 0x0536],
    board: [0x1028, 0x0715],
    classId: 0x030000,
    driver: 'mgag200',
    ranges: [[2 ** 24, Range.plain32]],
  }),
  files('/usr/share/misc', { 'pci.ids': pciIds }),
);
