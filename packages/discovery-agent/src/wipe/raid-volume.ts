import type { Sysfs } from '../sysfs.ts';

/** What a RAID controller answers with instead of the name of a disk: `[vendor, model]`, as INQUIRY has them. */
const volumes: readonly (readonly [vendor: RegExp, model: RegExp])[] = [
  // MegaRAID names the board, or what its maker sells it as; disks passed through keep their own name.
  [/^(LSI|AVAGO|BROADCOM|DELL|Lenovo|IBM|CISCO|FTS|FUJITSU|INTEL|SMC|NEC|HPE?)$/i, /MR|RAID|PERC|ServeRAID|PRAID|AVAGO/i],
  // Integrated RAID of the SAS2/SAS3 HBAs (mpt3sas)
  [/^(LSI|LSILOGIC|Dell)$/i, /^(Logical|Virtual) (Volume|Disk)/i],
  [/^(HPE?|COMPAQ|MSCC|Adaptec|ASR.*|ADAPTEC)$/i, /LOGICAL VOLUME|Volume|Array/i],
  [/^(Areca|AMCC|3ware|MARVELL)$/i, /./],
];

/**
 * Whether `/sys/block/<name>` is a volume of a RAID controller. A disk taken for a volume by mistake is overwritten in
 * place of a faster way; the other mistake would send a disk's command to a controller, which refuses it.
 */
export function isRaidVolume(sysfs: Sysfs, name: string): boolean {
  const device = `/sys/block/${name}/device`;
  // hpsa and smartpqi say it themselves; "N/A" is a disk that is passed through.
  const level = sysfs.text(`${device}/raid_level`);
  if (level !== undefined) return level !== 'N/A';
  const vendor = sysfs.text(`${device}/vendor`) ?? '';
  const model = sysfs.text(`${device}/model`) ?? '';
  return volumes.some(([vendors, models]) => vendors.test(vendor) && models.test(model));
}
