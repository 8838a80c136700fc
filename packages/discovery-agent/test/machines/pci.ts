import type { Tree } from '../tree.ts';
import { files, hexId, link, merge } from './parts.ts';

export interface PciShape {
  /** From the host bridge down: `['pci0000:40', '0000:40:01.1', '0000:41:00.0']`; bridges on the way are made, too. */
  readonly path: readonly string[];
  readonly ids: readonly [vendor: number, device: number];
  readonly board?: readonly [vendor: number, device: number];
  /** With the programming interface: 0x010802. */
  readonly classId: number;
  readonly driver?: string;
  readonly numaNode?: number;
  /** `['32.0', 16, '32.0', 16]`: current and most. */
  readonly link?: readonly [string, number, string, number];
  /** Six base address registers: size and flags of the kernel. */
  readonly ranges?: readonly (readonly [sizeBytes: number, flags: number])[];
}

export const Range = { prefetchable64: 0x14220c, plain32: 0x40200 } as const;

export const pciPath = ({ path }: PciShape): string => `/sys/devices/${path.join('/')}`;

export function pci(shape: PciShape): Tree {
  const { path, ids, board = [0, 0], classId, driver, numaNode = -1, ranges = [] } = shape;
  const directory = pciPath(shape);
  const address = path.at(-1) ?? '';
  const [speed, width, maxSpeed, maxWidth] = shape.link ?? [];
  const lines = Array.from({ length: 7 }, (_, index) => {
    const [size, flags] = ranges[index] ?? [0, 0];
    const start = size === 0 ? 0n : 0x2000_0000_0000n;
    return [start, size === 0 ? 0n : start + BigInt(size) - 1n, BigInt(flags)]
      .map((word) => `0x${word.toString(16).padStart(16, '0')}`)
      .join(' ');
  });
  return merge(
    ...path.slice(1, -1).map((bridge, index) => {
      const at = `/sys/devices/${path.slice(0, index + 2).join('/')}`;
      return merge(
        files(at, { vendor: '0x1022', device: '0x14ab', class: '0x060400' }),
        link(`/sys/bus/pci/devices/${bridge}`, at),
      );
    }),
    files(directory, {
      vendor: hexId(ids[0]),
      device: hexId(ids[1]),
      subsystem_vendor: hexId(board[0]),
      subsystem_device: hexId(board[1]),
      class: hexId(classId, 6),
      numa_node: numaNode,
      resource: lines.join('\n'),
    }),
    shape.link === undefined
      ? {}
      : files(directory, {
          current_link_speed: `${speed} GT/s PCIe`,
          current_link_width: width ?? 0,
          max_link_speed: `${maxSpeed} GT/s PCIe`,
          max_link_width: maxWidth ?? 0,
        }),
    driver === undefined ? {} : link(`${directory}/driver`, `/sys/bus/pci/drivers/${driver}`),
    link(`/sys/bus/pci/devices/${address}`, directory),
  );
}
