import { closeSync, existsSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import type { MachineOptions, RackMachine } from '@ingot/lab';
import { pciTypes } from '../support/qemu-pci-types.ts';
import { plantDisk } from './wipe-machine.ts';
import type { Disk } from './wipe-machine.ts';

/** What QEMU is told, and the API is asked for afterwards. */
export const built = {
  processor: 'Intel(R) Xeon(R) Gold 6438Y+',
  chassisSerial: 'CHS-40417',
  dimm: { part: 'MTC40F2046S1RC48BA1', serial: '3D1C77F0', manufacturer: 'Micron' },
  bios: { vendor: 'American Megatrends', version: '5.27', date: '12/20/2023' },
  nvme: { serial: 'S64HNX0T417523', model: 'QEMU NVMe Ctrl' },
  sata: { model: 'INTEL SSDSC2KB480G8', serial: 'BTYF84120417480', firmware: 'XCV10165' },
  virtio: { serial: 'VBLK-0417' },
  readOnly: { serial: 'VBLK-0418-RO' },
  macs: ['52:54:00:04:17:01', '52:54:00:04:17:02'],
} as const;

export interface SmallDisks {
  readonly namespaces: readonly [Disk, Disk, Disk];
  readonly sata: Disk;
  readonly virtio: Disk;
  readonly readOnly: Disk;
}

export function plantSmallDisks(directory: string): SmallDisks {
  const make = (name: string, mebibytes: number): Disk => plantDisk(directory, name, mebibytes);
  return {
    namespaces: [make('ns1', 32), make('ns2', 16), make('ns3', 48)],
    sata: make('sata', 64),
    virtio: make('virtio', 24),
    readOnly: make('readonly', 8),
  };
}

/**
 * A server with two sockets, a node of memory and a GPU on each, four network cards of four kinds, NVMe of several
 * namespaces, SATA, virtio and a TPM.
 */
export function bigMachine(disks: SmallDisks, tpmSocket: string): MachineOptions & { readonly firmware: 'uefi' } {
  const env = pciTypes({
    h100: { vendor: 0x10de, device: 0x2330, class: 0x0302, subsystem: [0x10de, 0x16c1] },
    mi300: { vendor: 0x1002, device: 0x74a1, class: 0x1200, subsystem: [0x1002, 0x74a1] },
  });
  const raw = ({ name, path }: Disk, more: object = {}): string[] => [
    '-blockdev',
    JSON.stringify({
      driver: 'raw',
      'node-name': name,
      discard: 'unmap',
      file: { driver: 'file', filename: path },
      ...more,
    }),
  ];
  const { namespaces, sata, virtio, readOnly } = disks;
  const args = [
    ['-smp', '2,sockets=2,cores=1,threads=1', '-cpu', `qemu64,vendor=GenuineIntel,model-id=${built.processor}`],
    ...[0, 1].map((node) =>
      [
        ['-object', `memory-backend-ram,id=memory${node},size=512M`],
        ['-numa', `node,nodeid=${node},cpus=${node},memdev=memory${node}`],
        ['-device', `pxb-pcie,id=socket${node},bus_nr=${64 + node * 64},numa_node=${node},bus=pcie.0`],
        ['-device', `pcie-root-port,id=slot${node},bus=socket${node},chassis=${node + 1}`],
      ].flat(),
    ),
    ['-device', 'h100,bus=slot0', '-device', 'mi300,bus=slot1,membar=512M'],
    ['-smbios', `type=0,vendor=${built.bios.vendor},version=${built.bios.version},date=${built.bios.date}`],
    ['-smbios', `type=3,manufacturer=Ingot,serial=${built.chassisSerial}`],
    [
      '-smbios',
      `type=17,loc_pfx=DIMM_A,manufacturer=${built.dimm.manufacturer},serial=${built.dimm.serial},part=${built.dimm.part}`,
    ],
    [
      '-chardev',
      `socket,id=tpm,path=${tpmSocket}`,
      '-tpmdev',
      'emulator,id=tpm0,chardev=tpm',
      '-device',
      'tpm-crb,tpmdev=tpm0',
    ],
    ['-device', `vmxnet3,bus=pcie.0,mac=${built.macs[0]}`, '-device', `e1000-82545em,bus=pcie.0,mac=${built.macs[1]}`],
    ['-device', `nvme,bus=pcie.0,id=controller,serial=${built.nvme.serial}`],
    namespaces.flatMap((disk) => raw(disk)),
    namespaces.flatMap(({ name }, index) => ['-device', `nvme-ns,bus=controller,drive=${name},nsid=${index + 1}`]),
    raw(sata),
    [
      '-device',
      `ide-hd,bus=ide.0,drive=sata,model=${built.sata.model},serial=${built.sata.serial},ver=${built.sata.firmware},bootindex=3`,
    ],
    raw(virtio),
    ['-device', `virtio-blk-pci,bus=pcie.0,drive=virtio,serial=${built.virtio.serial}`],
    // QEMU's NVMe does not tell that a namespace is read-only; wipe.test.ts has one.
    raw(readOnly, { 'read-only': true }),
    ['-device', `virtio-blk-pci,bus=pcie.0,drive=readonly,serial=${built.readOnly.serial}`],
  ].flat();
  return {
    firmware: 'uefi',
    memoryMib: 1024,
    cpus: 2,
    accelerator: 'tcg',
    // OVMF starts from virtio only.
    nicModels: ['virtio-net-pci', 'e1000e'],
    more: () => ({ args, env }),
  };
}

/** A TPM 2.0 of software, until QEMU lets go of it. */
export async function startTpm(directory: string): Promise<AsyncDisposable & { readonly socket: string }> {
  const socket = join(directory, 'tpm.sock');
  const state = join(directory, 'tpm');
  mkdirSync(state);
  const swtpm = execa(
    'swtpm',
    ['socket', '--tpm2', '--tpmstate', `dir=${state}`, '--ctrl', `type=unixio,path=${socket}`],
    {
      reject: false,
      forceKillAfterDelay: 1_000,
    },
  );
  for (let tries = 0; !existsSync(socket); tries += 1) {
    if (tries === 100) throw new Error(`swtpm has made no socket: ${(await swtpm).stderr}`);
    await pause(50);
  }
  return {
    socket,
    async [Symbol.asyncDispose]() {
      swtpm.kill('SIGTERM');
      await swtpm;
    },
  };
}

const marker = 'INGOT-PLANTED-LARGE';
const megabyte = 2 ** 20;

/** The machine's own two drives are too large to be full of it: the beginning, the middle and the end say it. */
export function plantLargeDisks({ identity, consoleLog }: RackMachine): readonly string[] {
  return identity.disks.map(({ sizeBytes }, index) => {
    const path = join(dirname(consoleLog), `nvme${index}.img`);
    const fd = openSync(path, 'r+');
    try {
      for (const at of placesOf(sizeBytes)) writeSync(fd, Buffer.alloc(megabyte, marker), 0, megabyte, at);
    } finally {
      closeSync(fd);
    }
    return path;
  });
}

/** Whether a planted place of a large disk still says anything. */
export function isPlanted(path: string, sizeBytes: number): boolean {
  const fd = openSync(path, 'r');
  try {
    return placesOf(sizeBytes).some((at) => {
      const bytes = Buffer.alloc(megabyte);
      readSync(fd, bytes, 0, megabyte, at);
      return bytes.includes(marker);
    });
  } finally {
    closeSync(fd);
  }
}

const placesOf = (sizeBytes: number): number[] => [
  0,
  Math.floor(sizeBytes / 2 / megabyte) * megabyte,
  Math.floor(sizeBytes / megabyte - 1) * megabyte,
];
