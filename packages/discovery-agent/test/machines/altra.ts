import type { Tree } from '../tree.ts';
import { cpus } from './cpus.ts';
import { nvme, otherBlockDevices } from './disks.ts';
import { dmi, uefi } from './firmware.ts';
import { memory } from './memory.ts';
import { loopback, nic } from './nics.ts';
import { files, merge } from './parts.ts';
import { pciIds } from './pci-ids.ts';
import { Range, pci } from './pci.ts';
import type { PciShape } from './pci.ts';
import { DimmType, dimm, emptySlot, memoryArray, processor, smbios } from './smbios-table.ts';

const ports: readonly PciShape[] = [0, 1].map((index) => ({
  path: ['pci000c:00', '000c:00:01.0', `000c:01:00.${index}`],
  ids: [0x15b3, 0x1015],
  board: [0x15b3, 0x0004],
  classId: 0x020000,
  driver: 'mlx5_core',
  numaNode: 0,
  link: ['8.0', 8, '8.0', 8],
}));

/** Ampere Altra Q80-30: no vendor and no model in /proc/cpuinfo, PCI domains, keys of Secure Boot not enrolled, no TPM. */
export const altra: Tree = merge(
  cpus({
    sockets: 1,
    coresPerSocket: 80,
    threadsPerCore: 1,
    cpuinfo: [
      'BogoMIPS\t: 50.00',
      'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs',
      'CPU implementer\t: 0x41',
      'CPU architecture: 8',
      'CPU variant\t: 0x3',
      'CPU part\t: 0xd0c',
      'CPU revision\t: 1',
    ],
    maxKilohertz: 3_000_000,
  }),
  memory(2 ** 30, [{ cpus: '0-79', blocks: 256, distances: [10] }]),
  smbios(3, 3, [
    processor('CPU01', 'Ampere(R)', 'Ampere(R) Altra(R) Processor', 3000),
    memoryArray,
    ...Array.from({ length: 16 }, (_, index) =>
      index % 2 === 1
        ? emptySlot(`DIMM${index + 1}`)
        : dimm({
            locator: `DIMM${index + 1}`,
            bank: `BANK ${index}`,
            sizeMebibytes: 32_768,
            type: DimmType.ddr4,
            speedMts: 3200,
            configuredMts: 3200,
            manufacturer: 'SK Hynix',
            serial: `9465A0${index.toString(16)}1`,
            partNumber: 'HMA84GR7DJR4N-XN',
          }),
    ),
  ]),
  dmi({
    product_uuid: '35d70000-0a5c-11eb-8000-b42e99000001',
    product_serial: 'GKG5NP6312A0001',
    product_name: 'R272-P30-JG',
    product_version: '0100',
    sys_vendor: 'GIGABYTE',
    board_vendor: 'GIGABYTE',
    board_name: 'MP32-AR0-JG',
    board_version: '01000100',
    board_serial: 'KG6N5500001',
    chassis_vendor: 'GIGABYTE',
    chassis_type: 23,
    chassis_version: '0100',
    chassis_serial: 'Default string',
    bios_vendor: 'GIGABYTE',
    bios_version: 'F16f (SCP: 1.07.20210713)',
    bios_date: '07/16/2021',
    bios_release: '5.15',
  }),
  uefi(false, true),
  ...[0, 1].map((number) =>
    nvme({
      number,
      pci: {
        path: ['pci0004:00', `0004:00:0${number * 2 + 1}.0`, `0004:0${number + 1}:00.0`],
        ids: [0x1344, 0x51c0],
        board: [0x1344, 0x2000],
        classId: 0x010802,
        driver: 'nvme',
        numaNode: 0,
        link: ['16.0', 4, '16.0', 4],
      },
      model: 'Micron_7400_MTFDKBG960TDZ',
      serial: `21523300000${number}`,
      firmware: 'E1MU23BC',
      eui64: `00a075013300000${number}`,
      sizeBytes: 960_197_124_096,
    }),
  ),
  otherBlockDevices(),
  ...ports.map((device, index) =>
    merge(pci(device), nic({ name: `eth${index}`, mac: `b4:2e:99:00:00:1${index}`, device, megabits: 25_000 })),
  ),
  loopback(),
  pci({
    path: ['pci0005:00', '0005:00:01.0', '0005:01:00.0', '0005:02:00.0'],
    ids: [0x1a03, 0x2000],
    board: [0x1a03, 0x2000],
    classId: 0x030000,
    driver: 'ast',
    ranges: [[2 ** 24, Range.plain32]],
  }),
  files('/usr/share/misc', { 'pci.ids': pciIds }),
);
