import type { Told } from '../told.ts';

/** How the machine reaches the disk, as the device path in sysfs shows. */
export const Transport = {
  NVME: 'nvme',
  /** NVMe over TCP, RDMA or Fibre Channel: not in this machine. */
  NVME_FABRIC: 'nvme-fabric',
  /** Also behind a SAS controller. */
  SATA: 'sata',
  SAS: 'sas',
  /** SCSI of which no more is known: a RAID controller's volume, an emulated disk. */
  SCSI: 'scsi',
  FIBRE_CHANNEL: 'fc',
  ISCSI: 'iscsi',
  USB: 'usb',
  VIRTIO: 'virtio',
  MMC: 'mmc',
  /** Persistent memory. */
  NVDIMM: 'nvdimm',
  OTHER: 'other',
} as const;
export type Transport = (typeof Transport)[keyof typeof Transport];

export interface Disk {
  /** Device node: `/dev/nvme0n1`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Empty where the device tells none, like the next three. */
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  /** World-wide name as the kernel writes it: `eui.…`, `naa.…`. */
  readonly wwn: string;
  readonly rotational: boolean;
  readonly readOnly: boolean;
  readonly transport: Transport;
  /** Bytes per sector; 0 where unknown. A physical sector larger than a logical one is what `512e` means. */
  readonly sectorBytes: { readonly logical: number; readonly physical: number };
  /** PCI address of the controller that the disk hangs on; empty where there is none. */
  readonly controller: string;
  /** True when a RAID controller made it of other disks, which are out of sight. */
  readonly raidVolume: boolean;
  /** As the driver says, `RAID-1(1+0)`; empty where it does not. */
  readonly raidLevel: string;
  /** Further names of the same disk, one for each further cable that leads to it; not listed as disks of their own. */
  readonly otherPaths: readonly string[];
  /** Only of a NVMe disk. */
  readonly namespace?: NvmeNamespace;
  /** Only of a NVMe disk, once asked for; takes root. */
  readonly health?: Told<DiskHealth>;
  /** Only of a SATA, SAS or other SCSI disk, once asked for; takes root. */
  readonly smart?: Told<DiskSmart>;
  /** Only of a NVMe disk, once asked for; takes root. */
  readonly lbaFormats?: Told<readonly LbaFormat[]>;
}

export interface NvmeNamespace {
  /** Number of the namespace within its controller, from 1; 0 where the kernel does not say. */
  readonly id: number;
  /** 16 hexadecimal digits; empty where the namespace has none, like the next two. */
  readonly eui64: string;
  /** 32 hexadecimal digits. */
  readonly nguid: string;
  readonly uuid: string;
}

/** From the SMART / Health Information log page (NVM Express Base Specification 2.0, 5.16.1.3). */
export interface DiskHealth {
  /** What the controller warns of; empty when all is well. */
  readonly warnings: readonly string[];
  /** Wear; 100 is the rated endurance, more is possible, up to 255. */
  readonly percentageUsed: number;
  /** Percent of the spare blocks that are left, and the percentage below which the controller warns. */
  readonly availableSpare: number;
  readonly availableSpareThreshold: number;
  readonly temperatureCelsius: number;
  readonly powerOnHours: number;
  readonly unsafeShutdowns: number;
  readonly mediaErrors: number;
}

/** What a SATA or SCSI disk says of its health; absent what it does not. */
export interface DiskSmart {
  /** False: it expects to fail soon. */
  readonly passed?: boolean;
  readonly temperatureCelsius?: number;
  readonly powerOnHours?: number;
  /** Wear of an SSD; 100 is the rated endurance, more is possible. */
  readonly percentageUsed?: number;
  /** Sectors that were replaced by spare ones since it was made. */
  readonly reallocatedSectors?: number;
  /** What it could not read any more: sectors of a SATA disk, failed commands of a SCSI one. */
  readonly uncorrectedErrors?: number;
}

/** One way in which a namespace can be formatted (NVM Command Set Specification 1.0, figure 98). */
export interface LbaFormat {
  readonly index: number;
  readonly dataBytes: number;
  readonly metadataBytes: number;
  readonly inUse: boolean;
}
