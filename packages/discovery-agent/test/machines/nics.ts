import type { Tree } from '../tree.ts';
import { files, link, merge } from './parts.ts';
import { pciPath } from './pci.ts';
import type { PciShape } from './pci.ts';

export interface NicShape {
  readonly name: string;
  readonly mac: string;
  readonly device: PciShape;
  /** Between the PCI device and `net`, as `virtio2`. */
  readonly below?: string;
  /** 0 without a link. */
  readonly megabits: number;
}

export function nic({ name, mac, device, below, megabits }: NicShape): Tree {
  const parent = below === undefined ? pciPath(device) : `${pciPath(device)}/${below}`;
  const directory = `${parent}/net/${name}`;
  return merge(
    files(directory, {
      address: mac,
      addr_assign_type: 0,
      type: 1,
      // The kernel refuses to tell the speed of a link that is down; -1 is what older ones say.
      speed: megabits > 0 ? megabits : -1,
      carrier: megabits > 0 ? 1 : 0,
      mtu: 1500,
    }),
    link(`${directory}/device`, parent),
    link(`/sys/class/net/${name}`, directory),
  );
}

export function loopback(): Tree {
  const directory = '/sys/devices/virtual/net/lo';
  return merge(
    files(directory, { address: '00:00:00:00:00:00', addr_assign_type: 0, type: 772, carrier: 1, mtu: 65536 }),
    link('/sys/class/net/lo', directory),
  );
}
