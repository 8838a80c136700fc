import type { Source } from './collector.ts';

export interface Memory {
  readonly sizeBytes: number;
  /**
   * `blocks`: what the firmware handed over, online memory blocks summed; the same at every boot.
   * `meminfo`: what is left after the kernel took its part; used where there are no memory blocks.
   */
  readonly source: 'blocks' | 'meminfo' | 'unknown';
}

export function readMemory({ sysfs, problem }: Source): Memory {
  const directory = '/sys/devices/system/memory';
  const blockSize = Number.parseInt(sysfs.text(`${directory}/block_size_bytes`) ?? '', 16);
  if (blockSize > 0) {
    const online = sysfs
      .list(directory)
      .filter((name) => /^memory\d+$/.test(name) && sysfs.text(`${directory}/${name}/state`) === 'online');
    if (online.length > 0) return { sizeBytes: online.length * blockSize, source: 'blocks' };
  }
  const kibibytes = /^MemTotal:\s*(\d+) kB/m.exec(sysfs.text('/proc/meminfo') ?? '')?.[1];
  if (kibibytes === undefined) {
    problem('neither memory blocks nor /proc/meminfo');
    return { sizeBytes: 0, source: 'unknown' };
  }
  return { sizeBytes: Number(kibibytes) * 1024, source: 'meminfo' };
}
