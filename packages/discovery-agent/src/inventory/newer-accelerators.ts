/**
 * Accelerators that the pci.ids of Debian 12 (April 2023), which is the image's, does not have or words otherwise than
 * later lists (https://pci-ids.ucw.cz): vendor and device as one number, with the later name. It wins over the list, so
 * that size constraints fit whatever list a machine was named from.
 */
export const newerAccelerators: ReadonlyMap<number, string> = new Map([
  [0x1002_74a0, 'Aqua Vanjaram [Instinct MI300A]'],
  [0x1002_74a1, 'Aqua Vanjaram [Instinct MI300X]'],
  [0x1002_74a2, 'Aqua Vanjaram [Instinct MI308X]'],
  [0x1002_74a5, 'Aqua Vanjaram [Instinct MI325X]'],
  [0x1002_74b5, 'Aqua Vanjaram [Instinct MI300X VF]'],
  [0x1002_74b9, 'Aqua Vanjaram [Instinct MI325X VF]'],
  [0x10de_2321, 'GH100 [H100L 94GB]'],
  [0x10de_2329, 'GH100 [H20]'],
  [0x10de_2330, 'GH100 [H100 SXM5 80GB]'],
  [0x10de_2335, 'GH100 [H200 SXM 141GB]'],
  [0x10de_233b, 'GH100 [H200 NVL]'],
  [0x10de_26b9, 'AD102GL [L40S]'],
  [0x10de_2901, 'GB100 [B200]'],
  [0x10de_2941, 'GB100 [HGX GB200]'],
  [0x10de_29bc, 'GB102 [B100]'],
  [0x10de_31c2, 'GB110 [GB300]'],
]);
