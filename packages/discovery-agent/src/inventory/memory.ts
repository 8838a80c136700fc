import type { Sysfs } from '../sysfs.ts';
import type { Source } from './collector.ts';
import { dimmsOf } from './dimms.ts';
import type { Dimms } from './dimms.ts';

export interface Memory extends Dimms {
  readonly sizeBytes: number;
  /**
   * `blocks`: what the firmware handed over, online memory blocks summed; the same at every boot.
   * `memmap`: the firmware's own map of it, where the kernel has no memory blocks.
   * `meminfo`: what is left after the kernel took its part; the last resort, and a little less with each new kernel.
   */
  readonly source: 'blocks' | 'memmap' | 'meminfo' | 'unknown';
}

export const noMemory: Memory = { sizeBytes: 0, source: 'unknown', dimms: [], slots: 0, errorCorrection: '' };

const memoryDirectory = '/sys/devices/system/memory';

export function readMemory({ sysfs, smbios, memoryBlocks, problem }: Source): Memory {
  const size = sizeOfBlocks(sysfs, memoryBlocks()) ?? readFirmwareMap(sysfs) ?? readMeminfo(sysfs);
  if (size === undefined) problem('neither memory blocks nor /proc/meminfo');
  return { ...(size ?? { sizeBytes: 0, source: 'unknown' }), ...dimmsOf(smbios()) };
}

type Size = Pick<Memory, 'sizeBytes' | 'source'>;

/** Bytes of one memory block; 0 where the kernel has none. */
export function memoryBlockBytes(sysfs: Sysfs): number {
  const text = sysfs.text(`${memoryDirectory}/block_size_bytes`) ?? '';
  return /^[0-9a-f]{1,12}$/i.test(text) ? Number.parseInt(text, 16) : 0;
}

/**
 * Names of the memory blocks that are online and have memory in them, `memory17`. A machine of some terabytes has
 * thousands. On arm64 the kernel makes a block of whatever the firmware calls cacheable, its flash for one.
 */
export function readOnlineBlocks(sysfs: Sysfs): ReadonlySet<string> {
  const blockBytes = memoryBlockBytes(sysfs);
  const ram = systemRam(sysfs);
  const hasRam = (name: string): boolean => {
    const start = Number(name.slice('memory'.length)) * blockBytes;
    return ram.length === 0 || ram.some(({ first, last }) => first < start + blockBytes && last >= start);
  };
  const isOnline = (name: string): boolean => sysfs.text(`${memoryDirectory}/${name}/state`) === 'online';
  return new Set(
    sysfs.list(memoryDirectory).filter((name) => /^memory\d+$/.test(name) && isOnline(name) && hasRam(name)),
  );
}

/** Addresses of what the kernel uses as memory; none where it does not show them, as to anybody but root. */
function systemRam(sysfs: Sysfs): readonly { readonly first: number; readonly last: number }[] {
  const lines = (sysfs.text('/proc/iomem') ?? '').matchAll(/^ *([0-9a-f]{1,13})-([0-9a-f]{1,13}) : System RAM/gm);
  return Array.from(lines, ([, first = '', last = '']) => ({
    first: Number.parseInt(first, 16),
    last: Number.parseInt(last, 16),
  })).filter(({ last }) => last > 0);
}

function sizeOfBlocks(sysfs: Sysfs, online: ReadonlySet<string>): Size | undefined {
  const sizeBytes = online.size * memoryBlockBytes(sysfs);
  return sizeBytes === 0 ? undefined : { sizeBytes, source: 'blocks' };
}

/** x86 only; for root only. */
function readFirmwareMap(sysfs: Sysfs): Size | undefined {
  const directory = '/sys/firmware/memmap';
  let sizeBytes = 0;
  for (const name of sysfs.list(directory)) {
    if (sysfs.text(`${directory}/${name}/type`) !== 'System RAM') continue;
    const start = sysfs.integer(`${directory}/${name}/start`);
    const end = sysfs.integer(`${directory}/${name}/end`);
    if (start !== undefined && end !== undefined && end > start) sizeBytes += end - start + 1;
  }
  return sizeBytes > 0 && Number.isSafeInteger(sizeBytes) ? { sizeBytes, source: 'memmap' } : undefined;
}

function readMeminfo(sysfs: Sysfs): Size | undefined {
  const kibibytes = /^MemTotal:\s*(\d{1,12}) kB/m.exec(sysfs.text('/proc/meminfo') ?? '')?.[1];
  return kibibytes === undefined ? undefined : { sizeBytes: Number(kibibytes) * 1024, source: 'meminfo' };
}
