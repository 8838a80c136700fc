import type { Sysfs } from '../../sysfs.ts';

/**
 * Drivers of RAID controllers, and the SCSI channels on which each shows its volumes; on other channels are disks that
 * it passes through. From the drivers' headers in Linux: MEGASAS_MAX_PD_CHANNELS, RAID_CHANNEL, HPSA_RAID_VOLUME_BUS,
 * HPSA_EXTERNAL_RAID_VOLUME_BUS, PQI_RAID_VOLUME_BUS, PQI_EXTERNAL_RAID_VOLUME_BUS, CONTAINER_CHANNEL.
 */
const volumeChannels: ReadonlyMap<string, readonly number[]> = new Map([
  ['megaraid_sas', [2, 3]],
  ['mpt3sas', [1]],
  ['hpsa', [1, 2]],
  ['smartpqi', [1, 3]],
  ['aacraid', [0]],
]);

/**
 * What controllers call their volumes, for those that the channel does not betray: MegaRAID (`MR9361-8i`), Dell's PERC
 * and BOSS (two mirrored cards behind a plain SATA or NVMe face), HPE's NS204i, which is the same, Smart Array, ServeRAID,
 * Fujitsu's PRAID, Cisco's UCSC-MRAID, Areca.
 */
const volumeName =
  /^((avago|broadcom|dell|fujitsu|hpe?|intel|lenovo|lsi) +)?(mr\d{3,4}|megaraid|perc\b|dellboss|boss-|ns204i|logical volume|serveraid|p?raid\b|ucsc-m?raid|arc-\d+-vol)/i;

/** @param path where the block device really is, `/sys/devices/…/host0/target0:2:0/0:2:0:0/block/sda` */
export function isRaidVolume(path: string, driver: string, model: string): boolean {
  const channel = /\/\d+:(\d+):\d+:\d+\/block\//.exec(path)?.[1];
  const isOnVolumeChannel = channel !== undefined && volumeChannels.get(driver)?.includes(Number(channel)) === true;
  return isOnVolumeChannel || volumeName.test(model);
}

/** hpsa and smartpqi tell the level of a volume, and `N/A` of a disk. */
export function raidLevel(sysfs: Sysfs, directory: string): string {
  const level = sysfs.text(`${directory}/device/raid_level`) ?? '';
  return /^(n\/a|unknown|linear)?$/i.test(level) ? '' : level;
}
