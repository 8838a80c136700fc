import { ApiError, apiV2, Code } from '@ingot/api';
import { parseImageId, parseVersionRange } from './image-version.ts';

const MIB = 2n ** 20n;

/**
 * What is wrong with a layout in itself, in words; empty when nothing is. Every device that is used has to be made by a
 * partition, a RAID or a logical volume of the layout, and is used once: two users would overwrite each other.
 */
export function checkLayout(layout: apiV2.FilesystemLayout): string[] {
  const problems: string[] = [];
  const made = new Set<string>();
  const make = (device: string, where: string): void => {
    if (made.has(device)) problems.push(`${where}: ${device} is made twice`);
    made.add(device);
  };
  const users = new Map<string, string>();
  const need = (device: string, where: string): void => {
    if (!made.has(device)) problems.push(`${where}: nothing in this layout makes ${device}`);
    const other = users.get(device);
    if (other !== undefined) problems.push(`${where}: ${device} is used by ${other} already`);
    users.set(device, where);
  };
  const disks = new Set<string>();
  for (const { device, partitions } of layout.disks) {
    if (disks.has(device)) problems.push(`disk ${device}: it is listed twice`);
    disks.add(device);
    const numbers = new Set<number>();
    for (const [index, { number, size }] of partitions.entries()) {
      const where = `disk ${device}, partition ${number}`;
      if (number < 1 || number > 128) problems.push(`${where}: GPT has the numbers 1 to 128`);
      if (numbers.has(number)) problems.push(`${where}: the number is used twice`);
      numbers.add(number);
      if (size === 0n && index !== partitions.length - 1)
        problems.push(`${where}: size 0 takes the rest of the disk, so it has to be the last`);
      make(partitionName(device, number), where);
    }
    if (partitions.length === 0) make(device, `disk ${device}`);
  }
  for (const { arrayName, devices, level, spares } of layout.raid) {
    const where = `raid ${arrayName}`;
    for (const device of devices) need(device, where);
    const least = level === apiV2.RaidLevel.RAID_LEVEL_1 ? 2 : 1;
    if (devices.length - spares < least) problems.push(`${where}: needs ${least} devices besides its ${spares} spares`);
    make(arrayName, where);
  }
  const groups = new Set(layout.volumeGroups.map(({ name }) => name));
  for (const { name, devices } of layout.volumeGroups)
    for (const device of devices) need(device, `volume group ${name}`);
  for (const [index, { name, volumeGroup, size }] of layout.logicalVolumes.entries()) {
    const where = `logical volume ${name}`;
    if (!groups.has(volumeGroup)) problems.push(`${where}: there is no volume group "${volumeGroup}" in this layout`);
    const isLast = !layout.logicalVolumes.slice(index + 1).some((later) => later.volumeGroup === volumeGroup);
    if (size === 0n && !isLast)
      problems.push(`${where}: size 0 takes the rest of the group, so it has to be the last in it`);
    make(`/dev/${volumeGroup}/${name}`, where);
  }
  const paths = new Set<string>();
  for (const { device, format, path } of layout.filesystems) {
    const where = `filesystem ${path ?? device}`;
    if (format !== apiV2.Format.TMPFS) need(device, where);
    if (path === undefined || path === '') continue;
    if (!path.startsWith('/')) problems.push(`${where}: the path has to start with "/"`);
    if (paths.has(path)) problems.push(`${where}: the path is used twice`);
    paths.add(path);
  }
  for (const [os, range] of Object.entries(layout.constraints?.images ?? {}))
    if (parseVersionRange(range) === undefined)
      problems.push(`constraints.images: "${range}" of ${os} is no range of versions such as ">= 12.0"`);
  return problems;
}

/** The layout for machines of a size with an image; by its full id. Throws `NotFound`. */
export function findLayout(
  layouts: readonly apiV2.FilesystemLayout[],
  size: string,
  image: string,
): apiV2.FilesystemLayout {
  const parsed = parseImageId(image);
  const found = layouts.find(({ constraints }) => {
    const range = parsed === undefined ? undefined : constraints?.images[parsed.os];
    if (parsed === undefined || range === undefined || constraints?.sizes.includes(size) !== true) return false;
    return parseVersionRange(range)?.includes(parsed.version) === true;
  });
  if (found !== undefined) return found;
  throw new ApiError(
    Code.NotFound,
    `no filesystem layout is for size "${size}" with image "${image}": add both to the constraints of one`,
  );
}

/**
 * Sizes and systems that two layouts are both for. Ranges of versions are not compared: two layouts for the same system
 * would differ by what is installed later.
 */
export function sharedCombinations(one: apiV2.FilesystemLayout, other: apiV2.FilesystemLayout): string[] {
  const sizes = (one.constraints?.sizes ?? []).filter((size) => other.constraints?.sizes.includes(size));
  const systems = Object.keys(one.constraints?.images ?? {}).filter((os) => os in (other.constraints?.images ?? {}));
  return sizes.flatMap((size) => systems.map((os) => `size "${size}" with ${os}`));
}

/** Throws `FailedPrecondition` naming each disk that a machine lacks, or that is too small. */
export function checkDisksFit(
  layout: apiV2.FilesystemLayout,
  disks: readonly Pick<apiV2.MachineBlockDevice, 'name' | 'size'>[],
): void {
  const problems = layout.disks.flatMap(({ device, partitions }) => {
    const disk = disks.find(({ name }) => name === device);
    if (disk === undefined) return [`there is no disk ${device}`];
    const needed = partitions.reduce((sum, { size }) => sum + size, 0n) * MIB;
    return needed <= disk.size ? [] : [`${device} has ${disk.size / MIB} MiB, the partitions need ${needed / MIB} MiB`];
  });
  if (problems.length === 0) return;
  const has = disks.map(({ name }) => name).join(', ');
  throw new ApiError(
    Code.FailedPrecondition,
    `filesystem layout "${layout.id}" does not fit: ${problems.join('; ')}; the machine has ${has === '' ? 'no disk' : has}`,
  );
}

/** `/dev/sda` has `/dev/sda1`, `/dev/nvme0n1` has `/dev/nvme0n1p1`. */
function partitionName(device: string, number: number): string {
  return /\d$/.test(device) ? `${device}p${number}` : `${device}${number}`;
}
