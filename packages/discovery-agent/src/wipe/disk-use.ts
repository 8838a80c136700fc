import type { Sysfs } from '../sysfs.ts';
import type { DiskUse } from './facts.ts';

/** Where a running system keeps itself: the disk below one of them is what it was started from. */
const bootMountPoints: readonly string[] = [
  '/',
  '/boot',
  '/boot/efi',
  '/efi',
  '/usr',
  '/cdrom',
  '/run/live/medium',
  '/run/initramfs/live',
  '/run/archiso/bootmnt',
];

/** A stack of devices upon devices (LVM on RAID on partitions) is never this deep; a loop would be. */
const maxDepth = 16;

/**
 * What the kernel uses each disk for, by the disk's name in /sys/block. A disk that is not in the map is free.
 *
 * The kernel's word is `open(O_EXCL)`, which is asked again before anything is written; this is for saying why.
 */
export function readDiskUse(sysfs: Sysfs): ReadonlyMap<string, DiskUse> {
  const use = new Map<string, DiskUse>();
  const note = (disks: readonly string[], found: DiskUse): void => {
    for (const disk of disks) if (use.get(disk)?.kind !== 'boot') use.set(disk, found);
  };
  for (const name of sysfs.list('/sys/block')) {
    const directories = [
      `/sys/block/${name}`,
      ...partitionsOf(sysfs, name).map((part) => `/sys/block/${name}/${part}`),
    ];
    const holders = directories.flatMap((directory) => sysfs.list(`${directory}/holders`));
    if (holders.length > 0) note([name], { kind: 'busy', by: `part of ${holders.join(', ')}` });
  }
  for (const line of sysfs.text('/proc/swaps')?.split('\n').slice(1) ?? []) {
    const path = line.split(/\s+/)[0] ?? '';
    note(disksOfNode(sysfs, path), { kind: 'busy', by: `swap on ${path}` });
  }
  for (const { device, source, mountPoint } of mounts(sysfs)) {
    const kind = bootMountPoints.includes(mountPoint) ? 'boot' : 'busy';
    // btrfs and its like show an invented number; what they were mounted from tells the device.
    const disks = [...disksBelow(sysfs, `/sys/dev/block/${device}`, 0), ...disksOfNode(sysfs, source)];
    note(disks, { kind, by: `mounted on ${mountPoint}` });
  }
  return use;
}

/** Names of a disk's partitions: the directories that have a file `partition`. */
export function partitionsOf(sysfs: Sysfs, name: string): string[] {
  return sysfs.list(`/sys/block/${name}`).filter((entry) => sysfs.exists(`/sys/block/${name}/${entry}/partition`));
}

interface Mount {
  /** `major:minor` */
  readonly device: string;
  readonly source: string;
  readonly mountPoint: string;
}

/** proc_pid_mountinfo(5): `36 35 98:0 /root /mount/point options… - type source superoptions`. */
function mounts(sysfs: Sysfs): Mount[] {
  return (sysfs.text('/proc/self/mountinfo') ?? '').split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device, , mountPoint] = before.split(' ');
    const source = after.split(' ')[1];
    if (device === undefined || mountPoint === undefined || source === undefined) return [];
    return [{ device, source: unescaped(source), mountPoint: unescaped(mountPoint) }];
  });
}

/** Blanks and the like stand as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));
}

function disksOfNode(sysfs: Sysfs, path: string): string[] {
  const node = sysfs.real(path) ?? path;
  if (!node.startsWith('/dev/')) return [];
  return disksBelow(sysfs, `/sys/class/block/${node.slice('/dev/'.length).replaceAll('/', '!')}`, 0);
}

/** The whole disks that a block device is made of, itself if it is one. */
function disksBelow(sysfs: Sysfs, path: string, depth: number): string[] {
  const directory = sysfs.real(path);
  if (directory === undefined || depth > maxDepth) return [];
  const parts = directory.split('/');
  const own = sysfs.exists(`${directory}/partition`) ? parts.slice(0, -1) : parts;
  const slaves = sysfs.list(`${directory}/slaves`);
  const name = own.at(-1) ?? '';
  return [name, ...slaves.flatMap((slave) => disksBelow(sysfs, `${directory}/slaves/${slave}`, depth + 1))];
}
