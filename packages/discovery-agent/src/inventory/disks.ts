import type { Sysfs } from '../sysfs.ts';

export interface Disk {
  /** Device node: `/dev/nvme0n1`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Empty where the device tells none, like the next two. */
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  /** World-wide name as the kernel writes it: `eui.…`, `naa.…`. */
  readonly wwn: string;
  readonly rotational: boolean;
  readonly readOnly: boolean;
  readonly transport: 'nvme' | 'virtio' | 'scsi' | 'other';
}

/** Block devices that are built upon others, live in memory, or hold removable media. */
const notADisk = /^(ram|loop|zram|dm-|md|sr|fd|nbd|mtdblock|bcache|drbd|rbd|mmcblk\d+(boot|rpmb))/;

/**
 * Whole disks. Removable media are left out: what a BMC offers as virtual media comes and goes.
 */
export function readDisks(sysfs: Sysfs): Disk[] {
  return sysfs
    .list('/sys/block')
    .filter((name) => {
      const directory = `/sys/block/${name}`;
      return (
        !notADisk.test(name) &&
        (sysfs.integer(`${directory}/size`) ?? 0) > 0 &&
        sysfs.integer(`${directory}/removable`) !== 1 &&
        // one path of a multipath NVMe namespace
        sysfs.integer(`${directory}/hidden`) !== 1
      );
    })
    .map((name) => readDisk(sysfs, name));
}

function readDisk(sysfs: Sysfs, name: string): Disk {
  const directory = `/sys/block/${name}`;
  const first = (...paths: string[]): string => {
    for (const path of paths) {
      const text = sysfs.text(`${directory}/${path}`);
      if (text !== undefined) return text.replaceAll(/\s+/g, ' ');
    }
    return '';
  };
  return {
    name: `/dev/${name.replaceAll('!', '/')}`,
    // The kernel counts in units of 512 bytes whatever the sector size of the disk is.
    sizeBytes: (sysfs.integer(`${directory}/size`) ?? 0) * 512,
    model: first('device/model'),
    serial: first('device/serial', 'serial') || vpdSerial(sysfs.bytes(`${directory}/device/vpd_pg80`)),
    firmware: first('device/firmware_rev', 'device/rev'),
    wwn: first('wwid', 'device/wwid'),
    rotational: sysfs.integer(`${directory}/queue/rotational`) === 1,
    readOnly: sysfs.integer(`${directory}/ro`) === 1,
    transport: transportOf(name),
  };
}

/** SCSI "Unit Serial Number" page, SPC-4 7.8.18: four header bytes, the last two of them the length. */
function vpdSerial(page: Uint8Array | undefined): string {
  if (page === undefined || page.length < 4 || page[1] !== 0x80) return '';
  const length = ((page[2] ?? 0) << 8) | (page[3] ?? 0);
  return Buffer.from(page.subarray(4, 4 + length))
    .toString('latin1')
    .replaceAll('\0', '')
    .trim();
}

function transportOf(name: string): Disk['transport'] {
  if (name.startsWith('nvme')) return 'nvme';
  if (name.startsWith('vd')) return 'virtio';
  return name.startsWith('sd') ? 'scsi' : 'other';
}
