import type { Tree } from '../tree.ts';
import { cpus, x86 } from './cpus.ts';
import { nvme, otherBlockDevices } from './disks.ts';
import { dmi, tpm, uefi } from './firmware.ts';
import { memory } from './memory.ts';
import { loopback, nic } from './nics.ts';
import { files, merge } from './parts.ts';
import { pciIds } from './pci-ids.ts';
import { Range, pci } from './pci.ts';
import type { PciShape } from './pci.ts';
import { DimmType, dimm, memoryArray, processor, smbios, tpmDevice } from './smbios-table.ts';

const eight = [0, 1, 2, 3, 4, 5, 6, 7];
const bus = (index: number, offset: number): string => (index * 0x20 + offset).toString(16).padStart(2, '0');
const numaNode = (index: number): number => (index < 4 ? 0 : 1);
const below = (index: number, offset: number): readonly string[] => [
  `pci0000:${bus(index, 0)}`,
  `0000:${bus(index, 0)}:01.1`,
  `0000:${bus(index, offset)}:00.0`,
];

/** An H100 shows its 80 GB through a window of 128 GiB. */
const gpus: readonly PciShape[] = eight.map((index) => ({
  path: below(index, 0x1b),
  ids: [0x10de, 0x2330],
  board: [0x10de, 0x16c1],
  classId: 0x030200,
  driver: 'nvidia',
  numaNode: numaNode(index),
  link: ['32.0', 16, '32.0', 16],
  ranges: [
    [2 ** 24, Range.prefetchable64],
    [0, 0],
    [2 ** 37, Range.prefetchable64],
    [0, 0],
    [2 ** 25, Range.prefetchable64],
  ],
}));

const ports: readonly PciShape[] = [2, 6].map((index) => ({
  path: below(index, 0x0a),
  ids: [0x15b3, 0x1021],
  board: [0x15b3, 0x0040],
  classId: 0x020000,
  driver: 'mlx5_core',
  numaNode: numaNode(index),
  link: ['32.0', 16, '32.0', 16],
}));

/** Supermicro AS-8125GS-TNHR: two EPYC 9654, 2.25 TiB, eight H100 with NVSwitches, eight NVMe disks, two ConnectX-7. */
export const epycEightGpus: Tree = merge(
  cpus({
    sockets: 2,
    coresPerSocket: 96,
    threadsPerCore: 2,
    cpuinfo: x86('AuthenticAMD', 'AMD EPYC 9654 96-Core Processor', '0xa101148'),
    maxKilohertz: 3_707_812,
  }),
  memory(2 ** 31, [
    { cpus: '0-95,192-287', blocks: 576, distances: [10, 32] },
    { cpus: '96-191,288-383', blocks: 576, distances: [32, 10] },
  ]),
  smbios(3, 5, [
    processor('CPU1', 'Advanced Micro Devices, Inc.', 'AMD EPYC 9654 96-Core Processor', 3700),
    processor('CPU2', 'Advanced Micro Devices, Inc.', 'AMD EPYC 9654 96-Core Processor', 3700),
    memoryArray,
    ...['P1', 'P2'].flatMap((socket, number) =>
      Array.from('ABCDEFGHIJKL').map((channel) =>
        dimm({
          locator: `${socket}-DIMM${channel}1`,
          bank: `P${number}_Node0_Channel${channel.charCodeAt(0) - 65}_Dimm0`,
          sizeMebibytes: 98_304,
          type: DimmType.ddr5,
          speedMts: 5600,
          configuredMts: 4800,
          manufacturer: 'Samsung',
          serial: `80CE0123${number}${channel}`,
          partNumber: 'M321RYGA0PB0-CWMKJ',
          dataBits: 64,
          totalBits: 80,
        }),
      ),
    ),
    tpmDevice('STM', 2, 0, [1, 769]),
  ]),
  dmi({
    product_uuid: '5e8d8000-6b3c-11ee-8000-7cc255000001',
    product_serial: 'S514359X3A00001',
    product_name: 'AS -8125GS-TNHR',
    product_version: '0123456789',
    sys_vendor: 'Supermicro',
    board_vendor: 'Supermicro',
    board_name: 'H13DSG-O-CPU-D',
    board_version: '1.02',
    board_serial: 'HM23CS000001',
    chassis_vendor: 'Supermicro',
    chassis_type: 1,
    chassis_serial: 'C8010KL34A00001',
    bios_vendor: 'American Megatrends International, LLC.',
    bios_version: '1.8',
    bios_date: '02/05/2024',
    bios_release: '5.27',
  }),
  uefi(false, false),
  tpm('/sys/devices/LNXSYSTM:00/LNXSYBUS:00/MSFT0101:00', 'tpm_crb', { tpm_version_major: 2 }),
  ...gpus.map(pci),
  ...[0, 1, 2, 3].map((index) =>
    pci({
      path: below(index, 0x10),
      ids: [0x10de, 0x22a3],
      board: [0x10de, 0x1796],
      classId: 0x068000,
      driver: 'nvidia-nvswitch',
      numaNode: 0,
    }),
  ),
  ...eight.map((index) =>
    nvme({
      number: index,
      pci: {
        path: below(index, 0x05),
        ids: [0x144d, 0xa80a],
        board: [0x144d, 0xa813],
        classId: 0x010802,
        driver: 'nvme',
        numaNode: numaNode(index),
        link: ['16.0', 4, '16.0', 4],
      },
      model: 'SAMSUNG MZQL23T8HCLS-00A07',
      serial: `S64HNE0T10001${index}`,
      firmware: 'GDC5602Q',
      eui64: `002538541000001${index}`,
      sizeBytes: 3_840_755_982_336,
    }),
  ),
  otherBlockDevices(),
  ...ports.map((device, index) =>
    merge(pci(device), nic({ name: `eth${index}`, mac: `a0:88:c2:00:00:1${index}`, device, megabits: 400_000 })),
  ),
  loopback(),
  pci({
    path: ['pci0000:c0', '0000:c0:05.1', '0000:d4:00.0', '0000:d5:00.0'],
    ids: [0x1a03, 0x2000],
    board: [0x15d9, 0x1c4d],
    classId: 0x030000,
    driver: 'ast',
    ranges: [[2 ** 26, Range.plain32]],
  }),
  files('/usr/share/misc', { 'pci.ids': pciIds }),
);
