import type { Sysfs } from '../sysfs.ts';
import { Transport } from './disks/disk.ts';
import type { Disk } from './disks/disk.ts';
import { isDisk } from './disks/is-disk.ts';
import { readNamespace } from './disks/nvme.ts';
import { isRaidVolume, raidLevel } from './disks/raid.ts';
import { ataIdentity, vpdSerial } from './disks/scsi-vpd.ts';
import { nvmeControllers, pciAddressIn, transportOf } from './disks/transport.ts';
import { printable } from './printable.ts';

export type { Disk } from './disks/disk.ts';

/**
 * Whole disks, in natural order. Removable media are left out: what a BMC offers as virtual media comes and goes.
 *
 * Reads sysfs only, and takes milliseconds; what has to be asked of the devices themselves is in `readDiskDetails`.
 */
export function readDisks(sysfs: Sysfs): Disk[] {
  return withoutRepeats(
    sysfs
      .list('/sys/block')
      .filter((name) => isDisk(sysfs, name))
      .map((name) => readDisk(sysfs, name)),
  );
}

/** How disks may be reached by more than one cable; the two of a NVMe disk the kernel brings together itself. */
const cabled: ReadonlySet<Transport> = new Set([
  Transport.SAS,
  Transport.SCSI,
  Transport.FIBRE_CHANNEL,
  Transport.ISCSI,
]);

/**
 * A disk with two ports in a shelf with two expanders is there twice. Counted twice it would give a machine a size that
 * it has not, and be wiped by two at a time. Only disks that have all in common, down to a registered name, are one.
 */
function withoutRepeats(all: readonly Disk[]): Disk[] {
  const disks = new Map<string, Disk>();
  for (const disk of all) {
    const { name, transport, wwn, serial, model, sizeBytes } = disk;
    const isKnown = cabled.has(transport) && wwn.startsWith('naa.') && serial !== '';
    const key = isKnown ? JSON.stringify([wwn, serial, model, sizeBytes]) : name;
    const first = disks.get(key);
    disks.set(key, first === undefined ? disk : { ...first, otherPaths: [...first.otherPaths, name] });
  }
  return [...disks.values()];
}

function readDisk(sysfs: Sysfs, name: string): Disk {
  const directory = `/sys/block/${name}`;
  const path = sysfs.real(directory) ?? '';
  const first = (...files: string[]): string => {
    for (const file of files) {
      const text = printable(sysfs.text(`${directory}/${file}`) ?? '');
      if (text !== '') return text;
    }
    return '';
  };
  const transport = transportOf(sysfs, name);
  const isNvme = transport === Transport.NVME || transport === Transport.NVME_FABRIC;
  const ata = transport === Transport.SATA ? ataIdentity(sysfs.bytes(`${directory}/device/vpd_pg89`)) : undefined;
  const scsiModel = first('device/model', 'device/name');
  const controller = pciAddressIn(isNvme ? (nvmeControllers(sysfs, name)[0] ?? path) : path);
  const driver = controller === '' ? '' : (sysfs.linkName(`/sys/bus/pci/devices/${controller}/driver`) ?? '');
  return {
    name: `/dev/${name.replaceAll('!', '/')}`,
    // The kernel counts in units of 512 bytes whatever the sector size of the disk is.
    sizeBytes: (sysfs.integer(`${directory}/size`) ?? 0) * 512,
    model: printable(ata?.model ?? '') || scsiModel,
    serial:
      printable(ata?.serial ?? '') ||
      first('device/serial', 'serial') ||
      printable(vpdSerial(sysfs.bytes(`${directory}/device/vpd_pg80`))),
    firmware: printable(ata?.firmware ?? '') || first('device/firmware_rev', 'device/rev', 'device/fwrev'),
    wwn: first('wwid', 'device/wwid'),
    rotational: sysfs.integer(`${directory}/queue/rotational`) === 1,
    readOnly: sysfs.integer(`${directory}/ro`) === 1,
    transport,
    sectorBytes: {
      logical: sysfs.integer(`${directory}/queue/logical_block_size`) ?? 0,
      physical: sysfs.integer(`${directory}/queue/physical_block_size`) ?? 0,
    },
    controller,
    raidVolume: isRaidVolume(path, driver, scsiModel),
    raidLevel: raidLevel(sysfs, directory),
    otherPaths: [],
    ...(isNvme && { namespace: readNamespace(sysfs, directory) }),
  };
}
