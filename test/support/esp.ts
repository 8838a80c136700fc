import { Buffer } from 'node:buffer';

const sectorBytes = 512;
const sectorsPerCluster = 8;
const clusterBytes = sectorBytes * sectorsPerCluster;
const reservedSectors = 1;
const rootEntries = 512;
const entryBytes = 32;
/** Enough for every cluster of 64 MiB; FAT16 has 4085 to 65524 of them (Microsoft's FAT specification, 3.5). */
const fatSectors = 64;
const totalBytes = 64 * 2 ** 20;
const rootStart = (reservedSectors + fatSectors) * sectorBytes;
const dataStart = rootStart + rootEntries * entryBytes;
const directoryAttribute = 0x10;
const endOfChain = 0xffff;

/**
 * A disk of 64 MiB that UEFI firmware starts: one FAT16 file system from the first sector on, as on a stick, without a
 * partition table. Names are those of old, eight characters and three.
 *
 * @param files by path, `EFI/BOOT/BOOTX64.EFI`
 */
export function espImage(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const image = Buffer.alloc(totalBytes);
  image.set([0xeb, 0x3c, 0x90]);
  image.write('MSWIN4.1', 3);
  image.writeUInt16LE(sectorBytes, 11);
  image[13] = sectorsPerCluster;
  image.writeUInt16LE(reservedSectors, 14);
  image[16] = 1; // file allocation tables
  image.writeUInt16LE(rootEntries, 17);
  image[21] = 0xf8;
  image.writeUInt16LE(fatSectors, 22);
  image.writeUInt32LE(totalBytes / sectorBytes, 32);
  image[38] = 0x29;
  image.write('INGOT      FAT16   ', 43);
  image.writeUInt16LE(0xaa55, 510);

  let nextCluster = 2;
  const fat = (cluster: number, value: number): unknown =>
    image.writeUInt16LE(value, reservedSectors * sectorBytes + cluster * 2);
  fat(0, 0xfff8);
  fat(1, endOfChain);
  const offsetOf = (cluster: number): number => dataStart + (cluster - 2) * clusterBytes;
  const store = (bytes: Uint8Array): number => {
    const first = nextCluster;
    const count = Math.max(1, Math.ceil(bytes.length / clusterBytes));
    for (let index = 0; index < count; index += 1)
      fat(first + index, index === count - 1 ? endOfChain : first + index + 1);
    nextCluster += count;
    image.set(bytes, offsetOf(first));
    return first;
  };
  const entry = (at: number, name: string, attribute: number, cluster: number, sizeBytes: number): void => {
    const [stem = '', extension = ''] = name === '.' || name === '..' ? [name] : name.split('.');
    image.write(stem.padEnd(8) + extension.padEnd(3), at);
    image[at + 11] = attribute;
    image.writeUInt16LE(cluster, at + 26);
    image.writeUInt32LE(sizeBytes, at + 28);
  };
  /** Writes the entries of all files below `prefix` at `at`; `own` and `parent` are clusters, 0 for the root. */
  const fill = (prefix: string, at: number, own: number): void => {
    const names = new Set(
      Object.keys(files)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length).split('/')[0] ?? ''),
    );
    let position = at;
    for (const name of names) {
      const file = files[prefix + name];
      if (file === undefined) {
        const cluster = store(Buffer.alloc(clusterBytes));
        entry(position, name, directoryAttribute, cluster, 0);
        entry(offsetOf(cluster), '.', directoryAttribute, cluster, 0);
        entry(offsetOf(cluster) + entryBytes, '..', directoryAttribute, own, 0);
        fill(`${prefix}${name}/`, offsetOf(cluster) + 2 * entryBytes, cluster);
      } else entry(position, name, 0, store(file), file.length);
      position += entryBytes;
    }
  };
  fill('', rootStart, 0);
  return image;
}
