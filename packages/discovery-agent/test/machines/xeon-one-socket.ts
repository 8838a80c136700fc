import type { Tree } from '../tree.ts';
import { cpus, x86 } from './cpus.ts';
import { otherBlockDevices, scsi } from './disks.ts';
import { dmi, tpm, uefi } from './firmware.ts';
import { memory } from './memory.ts';
import { loopback, nic } from './nics.ts';
import { files, merge } from './parts.ts';
import { pciIds } from './pci-ids.ts';
import { Range, pci } from './pci.ts';
import type { PciShape } from './pci.ts';
import { DimmType, dimm, memoryArray, processor, smbios, tpmDevice } from './smbios-table.ts';

const sata: PciShape = {
  path: ['pci0000:00', '0000:00:17.0'],
  ids: [0x8086, 0x43d2],
  board: [0x15d9, 0x1c4d],
  classId: 0x010601,
  driver: 'ahci',
};

const ports: readonly PciShape[] = [0, 1].map((index) => ({
  path: ['pci0000:00', `0000:00:1c.${index}`, `0000:0${index + 2}:00.0`],
  ids: [0x8086, 0x1533],
  board: [0x15d9, 0x1533],
  classId: 0x020000,
  driver: 'igb',
  link: ['2.5', 1, '2.5', 1],
}));

/** Supermicro X12STL-F: one Xeon E-2388G with graphics of its own, two SATA disks, Secure Boot, TPM 2.0, AST2500. */
export const xeonOneSocket: Tree = merge(
  cpus({
    sockets: 1,
    coresPerSocket: 8,
    threadsPerCore: 2,
    cpuinfo: x86('GenuineIntel', 'Intel(R) Xeon(R) E-2388G CPU @ 3.20GHz', '0x5d'),
    maxKilohertz: 5_100_000,
  }),
  memory(2 ** 31, [{ cpus: '0-15', blocks: 32, distances: [10] }]),
  smbios(3, 3, [
    processor('CPU', 'Intel(R) Corporation', 'Intel(R) Xeon(R) E-2388G CPU @ 3.20GHz', 5100),
    memoryArray,
    ...['A1', 'A2', 'B1', 'B2'].map((slot, index) =>
      dimm({
        locator: `DIMM${slot}`,
        bank: 'P0_Node0_Channel0_Dimm0',
        sizeMebibytes: 16_384,
        type: DimmType.ddr4,
        speedMts: 3200,
        configuredMts: 3200,
        manufacturer: 'Micron Technology',
        serial: `3A1B2C${index}D`,
        partNumber: '18ASF2G72AZ-3G2R1   ',
        ranks: 1,
      }),
    ),
    tpmDevice('IFX', 2, 0, [7, 85]),
  ]),
  dmi({
    product_uuid: '3CECEF5E-1C4D-11EC-8000-3CECEF5E1C4D'.toLowerCase(),
    product_serial: '0123456789',
    product_name: 'SYS-510T-MR',
    product_version: '0123456789',
    sys_vendor: 'Supermicro',
    board_vendor: 'Supermicro',
    board_name: 'X12STL-F',
    board_version: '1.01',
    board_serial: 'UM21AS000001',
    chassis_vendor: 'Supermicro',
    chassis_type: 17,
    chassis_version: '0123456789',
    chassis_serial: 'C5120LK00A00001',
    bios_vendor: 'American Megatrends International, LLC.',
    bios_version: '1.4',
    bios_date: '06/03/2022',
    bios_release: '5.22',
  }),
  uefi(true, false),
  tpm('/sys/devices/pci0000:00/0000:00:1f.5/IFX0785:00', 'tpm_tis', { tpm_version_major: 2 }),
  pci(sata),
  ...[0, 1].map((index) =>
    scsi({
      name: ['sda', 'sdb'][index] ?? '',
      host: `ata${index + 1}/host${index}`,
      address: `${index}:0:0:0`,
      controller: sata,
      vendor: 'ATA',
      model: 'SAMSUNG MZ7L3480',
      revision: '404Q',
      serial: `S664NN0T50000${index}`,
      wwid: `naa.5002538f0280000${index}`,
      sizeBytes: 480_103_981_056,
      rotational: false,
    }),
  ),
  otherBlockDevices(),
  ...ports.map((device, index) =>
    merge(
      pci(device),
      nic({ name: `eth${index}`, mac: `3c:ec:ef:5e:1c:4${index}`, device, megabits: index === 0 ? 1000 : 0 }),
    ),
  ),
  loopback(),
  pci({
    path: ['pci0000:00', '0000:00:02.0'],
    ids: [0x8086, 0x4c90],
    board: [0x15d9, 0x1c4d],
    classId: 0x030000,
    driver: 'i915',
    ranges: [
      [2 ** 24, 0x140204],
      [0, 0],
      [2 ** 28, Range.prefetchable64],
    ],
  }),
  pci({
    path: ['pci0000:00', '0000:00:1c.4', '0000:04:00.0', '0000:05:00.0'],
    ids: [0x1a03, 0x2000],
    board: [0x15d9, 0x1c4d],
    classId: 0x030000,
    driver: 'ast',
    ranges: [[2 ** 24, Range.plain32]],
  }),
  files('/usr/share/misc', { 'pci.ids': pciIds }),
);
