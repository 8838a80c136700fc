import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bootGuest, head, plantDisk, plantedSectors, scratchDirectory } from './wipe-machine.ts';
import type { Disk } from './wipe-machine.ts';

const uuid = '4c4c4544-0034-4d10-8052-b4c04f4e3232';
const meta = { labels: { labels: { 'ingot.dev/wipe': 'order-1' } } };
const allocated = { uuid, meta, allocation: { uuid: '0192c1a5-0000-7000-8000-000000000001', project: 'tenant' } };
const ordered = { uuid, meta };

const raw = ({ name, path }: Disk): string[] => [
  '-blockdev',
  JSON.stringify({ driver: 'raw', 'node-name': name, discard: 'unmap', file: { driver: 'file', filename: path } }),
];

/** Every write to it fails, as on a disk that has used up its cells. */
const failing = ({ name, path }: Disk): string[] => [
  '-blockdev',
  JSON.stringify({
    driver: 'raw',
    'node-name': name,
    file: {
      driver: 'blkdebug',
      image: { driver: 'file', filename: path },
      'inject-error': ['write', 'write-zeroes', 'discard'].map((iotype) => ({ event: 'none', iotype, errno: 5 })),
    },
  }),
];

const digest = ({ path }: Disk): string => createHash('sha256').update(readFileSync(path)).digest('hex');

test('an allocated machine keeps every byte; ordered to, it wipes every disk but the read-only one and names the broken one', async () => {
  using directory = scratchDirectory();
  const make = (name: string, mebibytes: number, partition = false): Disk =>
    plantDisk(directory.path, name, mebibytes, partition);
  const [first, readOnly, third] = [make('ns1', 48), make('ns2', 16), make('ns3', 16)];
  const [sata, virtio, broken] = [make('sata', 48, true), make('virtio', 32), make('bad', 16)];
  const disks = [first, readOnly, third, sata, virtio, broken];
  const before = disks.map(digest);

  await using guest = await bootGuest(
    [uuid, allocated, ordered],
    [
      [first, readOnly, third, sata, virtio].flatMap(raw),
      failing(broken),
      ['-device', 'nvme,id=controller,serial=three'],
      [first, readOnly, third].flatMap(({ name }, index) => [
        '-device',
        `nvme-ns,bus=controller,drive=${name},nsid=${index + 1}`,
      ]),
      ['-device', 'ide-hd,bus=ide.0,drive=sata'],
      ['-device', 'virtio-blk-pci,drive=virtio', '-device', 'virtio-blk-pci,drive=bad,werror=report'],
    ].flat(),
  );

  expect(await guest.said('refused')).toBe('allocated to project tenant');
  await guest.said('next');
  expect(disks.map(digest)).toEqual(before);

  guest.goOn();
  expect(await guest.said('partitions')).toEqual(['sda1']);
  expect(await guest.said('progress')).toContain('/dev/nvme0n1 nvme-format-erase');
  const wiped = (device: string, method: string): unknown =>
    expect.objectContaining({ device, state: 'wiped', method, samples: expect.any(Number) });
  expect(await guest.said('report')).toEqual({
    verdict: 'unclean',
    disks: [
      wiped('/dev/nvme0n1', 'nvme-format-erase'),
      { device: '/dev/nvme0n2', state: 'skipped', reason: 'read-only' },
      wiped('/dev/nvme0n3', 'nvme-format-erase'),
      wiped('/dev/sda', 'overwrite'),
      wiped('/dev/vda', 'write-zeroes'),
      expect.objectContaining({
        device: '/dev/vdb',
        state: 'failed',
        reason: expect.stringMatching(/^overwrite: EIO: i\/o error/),
      }),
    ],
  });
  expect(await guest.said('partitions')).toEqual([]);
  await guest.said('next');

  for (const disk of [first, third, sata, virtio]) {
    expect(plantedSectors(disk), disk.name).toBe(0);
    expect(head(disk, 2 ** 20).equals(Buffer.alloc(2 ** 20)), disk.name).toBe(true);
  }
  expect([digest(readOnly), digest(broken)]).toEqual([before[1], before[5]]);
});
