import type { Sysfs } from '../../sysfs.ts';
import { Transport } from './disk.ts';

/** The first that fits the path decides: an iSCSI session may run over a PCI adapter that also has SAS ports. */
const byPath: readonly (readonly [RegExp, Transport])[] = [
  [/\/usb\d+\//, Transport.USB],
  [/\/session\d+\//, Transport.ISCSI],
  [/\/(rport-|fc_remote_ports\/)/, Transport.FIBRE_CHANNEL],
  [/\/ata\d+\//, Transport.SATA],
  [/\/end_device-/, Transport.SAS],
  [/\/virtio\d+\//, Transport.VIRTIO],
  [/\/mmc\d+:/, Transport.MMC],
  [/\/(ndbus|btt|pmem|namespace)\d+[./]/, Transport.NVDIMM],
  [/\/host\d+\//, Transport.SCSI],
];

export function transportOf(sysfs: Sysfs, name: string): Transport {
  const directory = `/sys/block/${name}`;
  if (name.startsWith('nvme')) {
    const [controller] = nvmeControllers(sysfs, name);
    // Absent before Linux 4.15, when PCI was all there was without further setup.
    const transport = controller === undefined ? undefined : sysfs.text(`${controller}/transport`);
    return transport === undefined || transport === 'pcie' || transport === 'apple-nvme'
      ? Transport.NVME
      : Transport.NVME_FABRIC;
  }
  const path = sysfs.real(directory) ?? '';
  const transport = byPath.find(([pattern]) => pattern.test(path))?.[1];
  // A SAS controller presents a SATA disk under this vendor name (SAT-3 10.3.2). So do USB bridges, which are not meant.
  const isAta = sysfs.text(`${directory}/device/vendor`) === 'ATA';
  if (isAta && (transport === undefined || transport === Transport.SAS || transport === Transport.SCSI))
    return Transport.SATA;
  return transport ?? (name.startsWith('vd') ? Transport.VIRTIO : byName(name));
}

function byName(name: string): Transport {
  return name.startsWith('sd') ? Transport.SCSI : Transport.OTHER;
}

/**
 * Directories of the controllers that a namespace is reached through. `device` of `nvme0n1` is its controller, or with
 * multipath its subsystem, which has the controllers as links.
 */
export function nvmeControllers(sysfs: Sysfs, name: string): string[] {
  const device = sysfs.real(`/sys/block/${name}/device`);
  if (device === undefined) return [];
  if (!/\/nvme-subsys\d+$/.test(device)) return [device];
  return sysfs
    .list(device)
    .filter((entry) => /^nvme\d+$/.test(entry))
    .flatMap((entry) => sysfs.real(`${device}/${entry}`) ?? []);
}

/** PCI address of the innermost PCI device in a path; empty where there is none. */
export function pciAddressIn(path: string): string {
  return path.split('/').findLast((part) => /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part)) ?? '';
}
