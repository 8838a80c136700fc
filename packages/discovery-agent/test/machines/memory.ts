import type { Tree } from '../tree.ts';
import { files, link, merge } from './parts.ts';

export interface MemoryNode {
  /** `0-19,40-59` */
  readonly cpus: string;
  readonly blocks: number;
  readonly distances: readonly number[];
}

/** Memory in blocks of the kernel, spread over NUMA nodes in their order. */
export function memory(blockBytes: number, nodes: readonly MemoryNode[]): Tree {
  const directory = '/sys/devices/system/memory';
  let next = 0;
  const trees = nodes.map(({ cpus, blocks, distances }, node) => {
    const at = `/sys/devices/system/node/node${node}`;
    const numbers = Array.from({ length: blocks }, () => next++);
    return merge(
      files(at, { cpulist: cpus, distance: distances.join(' ') }),
      ...numbers.map((number) => files(`${directory}/memory${number}`, { state: 'online' })),
      ...numbers.map((number) => link(`${at}/memory${number}`, `${directory}/memory${number}`)),
    );
  });
  return merge(files(directory, { block_size_bytes: blockBytes.toString(16) }), ...trees);
}
