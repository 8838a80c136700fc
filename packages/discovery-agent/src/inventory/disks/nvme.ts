import type { Sysfs } from '../../sysfs.ts';
import type { NvmeNamespace } from './disk.ts';

/** @param directory `/sys/block/nvme0n1` */
export function readNamespace(sysfs: Sysfs, directory: string): NvmeNamespace {
  const digits = (file: string): string => {
    const text = (sysfs.text(`${directory}/${file}`) ?? '').toLowerCase().replaceAll(/[\s-]/g, '');
    return /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text) ? text : '';
  };
  const eui64 = digits('eui');
  const nguid = digits('nguid');
  const uuid = digits('uuid');
  return {
    id: Math.max(0, sysfs.integer(`${directory}/nsid`) ?? 0),
    eui64,
    nguid,
    // For want of a UUID the kernel shows the NGUID under this name, for the sake of old programs.
    uuid: uuid.length !== 32 || uuid === nguid ? '' : uuid.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
  };
}
