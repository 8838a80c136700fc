import type { Tree } from '../tree.ts';
import { files, link, merge } from './parts.ts';
import { pci, pciPath } from './pci.ts';
import type { PciShape } from './pci.ts';

const sectorBytes = 512;

function block(path: string, sizeBytes: number, contents: Readonly<Record<string, string | number>>): Tree {
  return merge(
    files(path, { size: sizeBytes / sectorBytes, removable: 0, ro: 0, hidden: 0, ...contents }),
    link(`/sys/block/${path.split('/').at(-1)}`, path),
  );
}

export interface NvmeShape {
  readonly number: number;
  readonly pci: PciShape;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly eui64: string;
  readonly sizeBytes: number;
}

/** A controller with one namespace. */
export function nvme({ number, pci: shape, model, serial, firmware, eui64, sizeBytes }: NvmeShape): Tree {
  const controller = `${pciPath(shape)}/nvme/nvme${number}`;
  const namespace = `${controller}/nvme${number}n1`;
  return merge(
    pci(shape),
    files(controller, {
      model: model.padEnd(40),
      serial: serial.padEnd(20),
      firmware_rev: firmware,
      transport: 'pcie',
      state: 'live',
      address: shape.path.at(-1) ?? '',
    }),
    link(`${controller}/device`, pciPath(shape)),
    link(`/sys/class/nvme/nvme${number}`, controller),
    block(namespace, sizeBytes, { nsid: 1, eui: eui64.replaceAll(/..(?=.)/g, '$& '), wwid: `eui.${eui64}` }),
    files(`${namespace}/queue`, { rotational: 0, logical_block_size: 512, physical_block_size: 512 }),
    link(`${namespace}/device`, controller),
  );
}

export interface ScsiShape {
  readonly name: string;
  /** Below the controller: `ata1/host0`. */
  readonly host: string;
  /** Host, channel, target, unit: `0:0:0:0`. */
  readonly address: string;
  readonly controller: PciShape;
  readonly vendor: string;
  readonly model: string;
  readonly revision: string;
  readonly serial: string;
  readonly wwid: string;
  readonly sizeBytes: number;
  readonly rotational: boolean;
}

export function scsi(shape: ScsiShape): Tree {
  const { name, host, address, controller, vendor, model, revision, serial, wwid, sizeBytes, rotational } = shape;
  const target = `target${address.split(':').slice(0, 3).join(':')}`;
  const device = `${pciPath(controller)}/${host}/${target}/${address}`;
  const path = `${device}/block/${name}`;
  const page = Buffer.concat([Buffer.from([0, 0x80, 0, serial.length]), Buffer.from(serial)]);
  return merge(
    files(device, { vendor: vendor.padEnd(8), model: model.padEnd(16), rev: revision, wwid, type: 0, vpd_pg80: page }),
    block(path, sizeBytes, {}),
    files(`${path}/queue`, { rotational: rotational ? 1 : 0, logical_block_size: 512, physical_block_size: 4096 }),
    link(`${path}/device`, device),
  );
}

/** What every Linux has besides its disks. */
export function otherBlockDevices(): Tree {
  const names = ['loop0', 'ram0', 'zram0', 'dm-0', 'md127'];
  return merge(...names.map((name) => block(`/sys/devices/virtual/block/${name}`, 2 ** 20, {})));
}
