import { apiV2, create, type MessageInitShape } from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { checkDisksFit, checkLayout, findLayout, sharedCombinations } from '../../src/image/filesystem-layout.ts';

type LayoutInit = Exclude<MessageInitShape<typeof apiV2.FilesystemLayoutSchema>, apiV2.FilesystemLayout>;

const layout = (init: LayoutInit): apiV2.FilesystemLayout => create(apiV2.FilesystemLayoutSchema, init);
const MIB = 1024n * 1024n;
const { EXT4, TMPFS } = apiV2.Format;
const { RAID_LEVEL_0, RAID_LEVEL_1 } = apiV2.RaidLevel;

const twoDisks: LayoutInit = {
  disks: [{ device: '/dev/sda', partitions: [{ number: 1, size: 10n }] }, { device: '/dev/nvme0n1' }],
};
const group: LayoutInit = {
  disks: [{ device: '/dev/sda' }, { device: '/dev/sdb' }],
  volumeGroups: [{ name: 'vg', devices: ['/dev/sda', '/dev/sdb'] }, { name: 'data' }],
};

describe('a layout has no fault', () => {
  test.each<[string, LayoutInit]>([
    ['with nothing in it', {}],
    ['with a disk that is used whole', { ...twoDisks, filesystems: [{ device: '/dev/nvme0n1', format: EXT4 }] }],
    [
      'with the first and the last number that GPT has, and the rest of the disk at the end',
      { disks: [{ device: '/dev/sda', partitions: [{ number: 1, size: 1n }, { number: 128 }] }] },
    ],
    [
      'with the first partitions of two disks',
      {
        disks: [
          { device: '/dev/sda', partitions: [{ number: 1 }] },
          { device: '/dev/nvme0n1', partitions: [{ number: 1 }] },
        ],
        filesystems: [
          { device: '/dev/sda1', format: EXT4, path: '/' },
          { device: '/dev/nvme0n1p1', format: EXT4, path: '/var' },
        ],
      },
    ],
    [
      'with mirrors and stripes of as many devices as they need',
      {
        disks: ['a', 'b', 'c', 'd'].map((letter) => ({ device: `/dev/sd${letter}` })),
        raid: [
          { arrayName: '/dev/md0', devices: ['/dev/sda', '/dev/sdb', '/dev/sdc'], level: RAID_LEVEL_1, spares: 1 },
          { arrayName: '/dev/md1', devices: ['/dev/sdd'], level: RAID_LEVEL_0 },
        ],
        filesystems: [{ device: '/dev/md0', format: EXT4 }],
      },
    ],
    [
      'with a volume that takes the rest of its group, and another that follows in another group',
      {
        ...group,
        logicalVolumes: [
          { name: 'root', volumeGroup: 'vg', size: 5n },
          { name: 'var', volumeGroup: 'vg' },
          { name: 'all', volumeGroup: 'data' },
        ],
        filesystems: [{ device: '/dev/vg/root', format: EXT4, path: '/' }],
      },
    ],
    ['with a file system in memory', { filesystems: [{ device: 'tmpfs', format: TMPFS, path: '/tmp' }] }],
    [
      'with two file systems that are mounted nowhere',
      {
        disks: [{ device: '/dev/sda' }, { device: '/dev/sdb' }],
        filesystems: [
          { device: '/dev/sda', format: EXT4 },
          { device: '/dev/sdb', format: EXT4 },
        ],
      },
    ],
    ['with a range of versions', { constraints: { sizes: ['small'], images: { debian: '>= 12.0' } } }],
  ])('%s', (_name, init) => {
    expect(checkLayout(layout(init))).toEqual([]);
  });
});

describe('a layout is faulty', () => {
  const partitions = (...list: { number: number; size?: bigint }[]): LayoutInit => ({
    disks: [{ device: '/dev/sda', partitions: list }],
  });

  test.each<[string, LayoutInit, readonly string[]]>([
    ['with a partition 0', partitions({ number: 0 }), ['disk /dev/sda, partition 0: GPT has the numbers 1 to 128']],
    [
      'with a partition 129',
      partitions({ number: 129 }),
      ['disk /dev/sda, partition 129: GPT has the numbers 1 to 128'],
    ],
    [
      'with a number used twice',
      partitions({ number: 1, size: 1n }, { number: 1, size: 1n }),
      ['disk /dev/sda, partition 1: the number is used twice', 'disk /dev/sda, partition 1: /dev/sda1 is made twice'],
    ],
    [
      'with a partition after the one that takes the rest',
      partitions({ number: 1 }, { number: 2, size: 1n }),
      ['disk /dev/sda, partition 1: size 0 takes the rest of the disk, so it has to be the last'],
    ],
    [
      'with a partition of an NVMe disk named like one of a SCSI disk',
      {
        disks: [{ device: '/dev/nvme0n1', partitions: [{ number: 1 }] }],
        filesystems: [{ device: '/dev/nvme0n11', format: EXT4 }],
      },
      ['filesystem /dev/nvme0n11: nothing in this layout makes /dev/nvme0n11'],
    ],
    [
      'with a file system on a disk that has partitions',
      { ...twoDisks, filesystems: [{ device: '/dev/sda', format: EXT4, path: '/' }] },
      ['filesystem /: nothing in this layout makes /dev/sda'],
    ],
    [
      'with a RAID of what is not there',
      { raid: [{ arrayName: '/dev/md0', devices: ['/dev/sda'], level: RAID_LEVEL_0 }] },
      ['raid /dev/md0: nothing in this layout makes /dev/sda'],
    ],
    [
      'with a mirror that is one device and a spare',
      {
        ...group,
        volumeGroups: [],
        raid: [{ arrayName: '/dev/md0', devices: ['/dev/sda', '/dev/sdb'], level: RAID_LEVEL_1, spares: 1 }],
      },
      ['raid /dev/md0: needs 2 devices besides its 1 spares'],
    ],
    [
      'with a RAID named twice',
      {
        disks: [{ device: '/dev/sda' }, { device: '/dev/sdb' }],
        raid: [
          { arrayName: '/dev/md0', devices: ['/dev/sda'], level: RAID_LEVEL_0 },
          { arrayName: '/dev/md0', devices: ['/dev/sdb'], level: RAID_LEVEL_0 },
        ],
      },
      ['raid /dev/md0: /dev/md0 is made twice'],
    ],
    [
      'with a disk that is listed twice',
      {
        disks: [
          { device: '/dev/sda', partitions: [{ number: 1 }] },
          { device: '/dev/sda', partitions: [{ number: 2 }] },
        ],
      },
      ['disk /dev/sda: it is listed twice'],
    ],
    [
      'with devices of a RAID that a volume group and a file system would overwrite',
      {
        ...group,
        raid: [{ arrayName: '/dev/md0', devices: ['/dev/sda'], level: RAID_LEVEL_0 }],
        volumeGroups: [{ name: 'vg', devices: ['/dev/sda'] }],
        filesystems: [
          { device: '/dev/md0', format: EXT4, path: '/' },
          { device: '/dev/md0', format: EXT4, path: '/var' },
        ],
      },
      [
        'volume group vg: /dev/sda is used by raid /dev/md0 already',
        'filesystem /var: /dev/md0 is used by filesystem / already',
      ],
    ],
    [
      'with a device that is twice in one RAID',
      { ...twoDisks, raid: [{ arrayName: '/dev/md0', devices: ['/dev/sda1', '/dev/sda1'], level: RAID_LEVEL_1 }] },
      ['raid /dev/md0: /dev/sda1 is used by raid /dev/md0 already'],
    ],
    [
      'with a volume group of what is not there',
      { volumeGroups: [{ name: 'vg', devices: ['/dev/sda'] }] },
      ['volume group vg: nothing in this layout makes /dev/sda'],
    ],
    [
      'with a volume in no group',
      { logicalVolumes: [{ name: 'root', volumeGroup: 'vg', size: 1n }] },
      ['logical volume root: there is no volume group "vg" in this layout'],
    ],
    [
      'with a volume after the one that takes the rest of the group',
      {
        ...group,
        logicalVolumes: [
          { name: 'root', volumeGroup: 'vg' },
          { name: 'var', volumeGroup: 'vg', size: 1n },
          { name: 'all', volumeGroup: 'data' },
        ],
      },
      ['logical volume root: size 0 takes the rest of the group, so it has to be the last in it'],
    ],
    [
      'with a path that is not absolute',
      { filesystems: [{ device: 'tmpfs', format: TMPFS, path: 'tmp/' }] },
      ['filesystem tmp/: the path has to start with "/"'],
    ],
    [
      'with a path used twice',
      {
        filesystems: [
          { device: 'tmpfs', format: TMPFS, path: '/tmp' },
          { device: 'tmpfs', format: TMPFS, path: '/tmp' },
        ],
      },
      ['filesystem /tmp: the path is used twice'],
    ],
    [
      'with versions that are no range',
      { constraints: { images: { debian: 'new' } } },
      ['constraints.images: "new" of debian is no range of versions such as ">= 12.0"'],
    ],
  ])('%s', (_name, init, problems) => {
    expect(checkLayout(layout(init))).toEqual(problems);
  });
});

describe('the layout for a size and an image', () => {
  const layouts = [
    layout({ id: 'none' }),
    layout({ id: 'old', constraints: { sizes: ['small'], images: { debian: '< 12' } } }),
    layout({ id: 'large', constraints: { sizes: ['large'], images: { debian: '>= 12' } } }),
    layout({ id: 'right', constraints: { sizes: ['medium', 'small'], images: { ubuntu: '*', debian: '>= 12' } } }),
  ];

  test('is the one whose constraints have both', () => {
    expect(findLayout(layouts, 'small', 'debian-12.0.20260101').id).toBe('right');
    expect(findLayout(layouts, 'small', 'debian-11.0.20260101').id).toBe('old');
    expect(findLayout(layouts, 'large', 'debian-12.0.20260101').id).toBe('large');
  });

  test.each([
    ['of another size', 'huge', 'debian-12.0.20260101'],
    ['with another system', 'small', 'alpine-3.0.20260101'],
    ['with what is no image', 'small', 'debian'],
  ])('is none %s', (_name, size, image) => {
    expect(() => findLayout(layouts, size, image)).toThrow(`no filesystem layout is for size "${size}"`);
  });
});

test('two layouts share the sizes with the systems that both are for', () => {
  const one = layout({ constraints: { sizes: ['a', 'b', 'c'], images: { debian: '*', ubuntu: '*' } } });
  const other = layout({ constraints: { sizes: ['c', 'b'], images: { ubuntu: '< 3', alpine: '*' } } });
  const shared = ['size "b" with ubuntu', 'size "c" with ubuntu'];
  expect(sharedCombinations(one, other)).toEqual(shared);
  expect(sharedCombinations(other, one).toSorted()).toEqual(shared);
  expect(sharedCombinations(one, layout({}))).toEqual([]);
  expect(sharedCombinations(layout({}), one)).toEqual([]);
});

describe('a layout fits', () => {
  const wanted = layout({
    id: 'default',
    disks: [
      { device: '/dev/sda', partitions: [{ number: 1, size: 100n }, { number: 2, size: 50n }, { number: 3 }] },
      { device: '/dev/sdb' },
    ],
  });

  test('a machine whose disks are there and just large enough', () => {
    const disks = [
      { name: '/dev/sdb', size: 0n },
      { name: '/dev/sda', size: 150n * MIB },
    ];
    expect(() => checkDisksFit(wanted, disks)).not.toThrow();
  });

  test.each([
    [
      'one whose disk is a byte too small',
      [
        { name: '/dev/sda', size: 150n * MIB - 1n },
        { name: '/dev/sdb', size: MIB },
      ],
      'filesystem layout "default" does not fit: /dev/sda has 149 MiB, the partitions need 150 MiB; ' +
        'the machine has /dev/sda, /dev/sdb',
    ],
    [
      'one that lacks a disk',
      [{ name: '/dev/sda', size: 200n * MIB }],
      'filesystem layout "default" does not fit: there is no disk /dev/sdb; the machine has /dev/sda',
    ],
    [
      'one without disks',
      [],
      'filesystem layout "default" does not fit: there is no disk /dev/sda; there is no disk /dev/sdb; ' +
        'the machine has no disk',
    ],
  ])('not %s', (_name, disks, words) => {
    expect(() => checkDisksFit(wanted, disks)).toThrow(words);
  });
});
