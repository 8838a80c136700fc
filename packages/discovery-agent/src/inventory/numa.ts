import type { Source } from './collector.ts';
import { memoryBlockBytes } from './memory.ts';

export interface NumaNode {
  readonly node: number;
  /** Logical processors, as `0-31,64-95`; empty for a node of memory only. */
  readonly cpus: string;
  /** Online memory blocks of the node; without such, what the kernel manages there. */
  readonly sizeBytes: number;
  /** To each node of this list, in its order: 10 to itself, more means farther (ACPI 6.5, 5.2.17). */
  readonly distances: readonly number[];
}

const directory = '/sys/devices/system/node';

/** Every node that is online; none where the kernel knows of no nodes. */
export function readNuma({ sysfs, memoryBlocks }: Source): NumaNode[] {
  const blockBytes = memoryBlockBytes(sysfs);
  return sysfs.list(directory).flatMap((name) => {
    const node = /^node(\d{1,5})$/.exec(name)?.[1];
    if (node === undefined) return [];
    const at = `${directory}/${name}`;
    const blocks = sysfs.list(at).filter((entry) => memoryBlocks().has(entry));
    const kibibytes = /MemTotal:\s*(\d{1,12}) kB/.exec(sysfs.text(`${at}/meminfo`) ?? '')?.[1] ?? 0;
    return [
      {
        node: Number(node),
        cpus: sysfs.text(`${at}/cpulist`) ?? '',
        sizeBytes: blocks.length > 0 ? blocks.length * blockBytes : Number(kibibytes) * 1024,
        distances:
          sysfs
            .text(`${at}/distance`)
            ?.match(/\d{1,5}/g)
            ?.map(Number) ?? [],
      },
    ];
  });
}
