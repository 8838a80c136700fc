import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDisks } from '../src/inventory/disks.ts';
import { ataIdentity, vpdSerial } from '../src/inventory/disks/scsi-vpd.ts';
import { takeInventory } from '../src/inventory/inventory.ts';
import { openSysfs } from '../src/sysfs.ts';
import { plant } from './tree.ts';
import type { Tree } from './tree.ts';

function disksOf(tree: Tree): ReturnType<typeof readDisks> {
  using machine = plant(tree);
  return readDisks(openSysfs(machine.root));
}

const gibibyteSectors = 2 ** 21;
const nvme = '/sys/devices/pci0000:40/0000:40:01.1/0000:41:00.0/nvme/nvme0';
const hba = '/sys/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0';
const ahci = '/sys/devices/pci0000:00/0000:00:17.0';
const usbPort = '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-14';

/** A block device at `path`, by its real name: the last component. */
function block(path: string, files: Readonly<Record<string, string | Uint8Array>> = {}): Tree {
  const name = path.split('/').at(-1) ?? '';
  const tree: Record<string, string | Uint8Array | { readonly link: string }> = {
    [`${path}/size`]: `${gibibyteSectors}\n`,
    [`${path}/removable`]: '0\n',
    [`${path}/queue/logical_block_size`]: '512\n',
    [`${path}/queue/physical_block_size`]: '4096\n',
    [`/sys/block/${name}`]: { link: `../..${path}` },
  };
  for (const [file, content] of Object.entries(files)) tree[`${path}/${file}`] = content;
  return tree;
}

/** A SCSI disk on a host, `address` being host:channel:target:lun. */
function scsi(host: string, address: string, name: string, files: Readonly<Record<string, string | Uint8Array>>): Tree {
  const [number, channel, target] = address.split(':');
  const device = `${host}/target${number}:${channel}:${target}/${address}`;
  const path = `${device}/block/${name}`;
  const tree: Record<string, string | Uint8Array | { readonly link: string }> = {};
  for (const [file, content] of Object.entries(files)) tree[`${device}/${file}`] = content;
  return {
    ...block(path),
    ...tree,
    [`${device}/type`]: tree[`${device}/type`] ?? '0\n',
    [`${path}/device`]: { link: '../..' },
  };
}

function bound(
  address: string,
  directory: string,
  driver: string,
  classId: string,
  ids: readonly [string, string],
): Tree {
  return {
    [`${directory}/vendor`]: `${ids[0]}\n`,
    [`${directory}/device`]: `${ids[1]}\n`,
    [`${directory}/class`]: `${classId}\n`,
    ...(driver !== '' && { [`${directory}/driver`]: { link: `../../../../bus/pci/drivers/${driver}` } }),
    [`/sys/bus/pci/devices/${address}`]: { link: `../../../..${directory}` },
  };
}

/** SAT's page: header, SATL's own fields, command code, IDENTIFY DEVICE. */
function ataPage(model: string, serial: string, firmware: string): Uint8Array {
  const page = Buffer.alloc(572);
  page.set([0, 0x89, 0x02, 0x38]);
  page[56] = 0xec;
  const put = (word: number, words: number, text: string): void => {
    page.set(Buffer.from(text.padEnd(words * 2)).swap16(), 60 + word * 2);
  };
  put(10, 10, serial);
  put(23, 4, firmware);
  put(27, 20, model);
  return page;
}

test('every namespace of a NVMe controller is a disk, with the identifiers that it has', () => {
  const controller = {
    [`${nvme}/model`]: 'SAMSUNG MZQL23T8HCLS-00A07              \n',
    [`${nvme}/serial`]: 'S64HNE0T100010      \n',
    [`${nvme}/firmware_rev`]: 'GDC5602Q\n',
    [`${nvme}/transport`]: 'pcie\n',
  };
  const disks = disksOf({
    ...controller,
    ...block(`${nvme}/nvme0n1`, {
      nsid: '1\n',
      eui: '00 25 38 58 00 00 00 0a\n',
      nguid: '36344630-5210-0100-0025-385800000001\n',
      uuid: '36344630-5210-0100-0025-385800000001\n',
      wwid: 'eui.36344630521001000025385800000001\n',
    }),
    ...block(`${nvme}/nvme0n2`, { nsid: '7\n', uuid: '0f2cbe14-7c68-4a1c-9d6a-3f7b7c1d2e55\n', ro: '1\n' }),
    [`${nvme}/nvme0n1/device`]: { link: '..' },
    [`${nvme}/nvme0n2/device`]: { link: '..' },
  });
  const common = { model: 'SAMSUNG MZQL23T8HCLS-00A07', serial: 'S64HNE0T100010', firmware: 'GDC5602Q' };
  expect(disks).toEqual([
    {
      ...common,
      name: '/dev/nvme0n1',
      sizeBytes: 2 ** 30,
      wwn: 'eui.36344630521001000025385800000001',
      rotational: false,
      readOnly: false,
      transport: 'nvme',
      sectorBytes: { logical: 512, physical: 4096 },
      controller: '0000:41:00.0',
      raidVolume: false,
      raidLevel: '',
      otherPaths: [],
      // The kernel repeats the NGUID as UUID, which is none.
      namespace: { id: 1, eui64: '002538580000000a', nguid: '36344630521001000025385800000001', uuid: '' },
    },
    expect.objectContaining({
      ...common,
      name: '/dev/nvme0n2',
      readOnly: true,
      namespace: { id: 7, eui64: '', nguid: '', uuid: '0f2cbe14-7c68-4a1c-9d6a-3f7b7c1d2e55' },
    }),
  ]);
});

test('a multipath namespace is one disk, whatever number of paths lead to it', () => {
  const subsystem = '/sys/devices/virtual/nvme-subsystem/nvme-subsys0';
  const disks = disksOf({
    [`${subsystem}/model`]: 'Dual port\n',
    [`${subsystem}/nvme0`]: { link: '../../../../..' + nvme },
    [`${nvme}/transport`]: 'pcie\n',
    ...block(`${subsystem}/nvme0n1`, { nsid: '1\n', hidden: '0\n' }),
    [`${subsystem}/nvme0n1/device`]: { link: '..' },
    ...block(`${nvme}/nvme0c0n1`, { hidden: '1\n' }),
    ...block(`${nvme}/nvme0c1n1`),
  });
  expect(disks).toMatchObject([
    { name: '/dev/nvme0n1', model: 'Dual port', transport: 'nvme', controller: '0000:41:00.0' },
  ]);
});

test('a SAS disk on two cables is one disk, and two disks that differ in one thing are two', () => {
  const path = (host: number, name: string, more: Readonly<Record<string, string>> = {}): Tree =>
    scsi(`${hba}/host${host}/port-${host}:0/end_device-${host}:0`, `${host}:0:0:0`, name, {
      model: 'ST1200MM0009\n',
      wwid: 'naa.5000c500a1b2c3d7\n',
      serial: 'WFK0ABCD\n',
      ...more,
    });
  const named = (tree: Tree): (readonly [string, readonly string[]])[] =>
    disksOf(tree).map(({ name, otherPaths }) => [name, otherPaths]);
  expect(
    named({ ...path(0, 'sda'), ...path(1, 'sdb'), ...path(2, 'sdc', { wwid: 'naa.5000c500a1b2c3d8\n' }) }),
  ).toEqual([
    ['/dev/sda', ['/dev/sdb']],
    ['/dev/sdc', []],
  ]);
  for (const other of [{ serial: 'WFK0ABCE\n' }, { model: 'ST2400MM0129\n' }, { serial: '\n' }, { wwid: '\n' }])
    expect(named({ ...path(0, 'sda'), ...path(1, 'sdb', other) })).toHaveLength(2);
});

test('a namespace on another machine says so', () => {
  const controller = '/sys/devices/virtual/nvme-fabrics/ctl/nvme3';
  const disks = disksOf({
    [`${controller}/transport`]: 'tcp\n',
    ...block(`${controller}/nvme3n1`),
    [`${controller}/nvme3n1/device`]: { link: '..' },
  });
  expect(disks).toMatchObject([{ name: '/dev/nvme3n1', transport: 'nvme-fabric', controller: '' }]);
});

test('the device path tells the transport', () => {
  const sas = `${hba}/host0/port-0:0/expander-0:0/port-0:0:1/end_device-0:0:1`;
  const disks = disksOf({
    ...scsi(`${ahci}/ata1/host1`, '1:0:0:0', 'sda', {
      vendor: 'ATA     \n',
      model: 'SAMSUNG MZ7LH960\n',
      rev: '404Q\n',
      wwid: 'naa.5002538e40a1b2c3\n',
      vpd_pg89: ataPage('SAMSUNG MZ7LH960HAJR-00005', 'S45NNE0M500001', 'HXT7404Q'),
      vpd_pg80: Buffer.concat([Buffer.from([0, 0x80, 0, 20]), Buffer.from('      S45NNE0M500001')]),
    }),
    ...scsi(sas, '0:0:0:0', 'sdb', { vendor: 'SEAGATE \n', model: 'ST1200MM0009\n', wwid: 'naa.5000c500a1b2c3d7\n' }),
    ...scsi(`${sas}-x`, '0:0:1:0', 'sdc', { vendor: 'ATA     \n', model: 'INTEL SSDSC2KB96\n', rev: '0132\n' }),
    ...scsi(`${usbPort}/1-14:1.0/host6`, '6:0:0:0', 'sdd', { vendor: 'ATA\n', model: 'Extreme SSD\n' }),
    ...scsi('/sys/devices/pci0000:00/0000:00:05.0/virtio2/host7', '7:0:0:1', 'sde', { vendor: 'QEMU\n' }),
    ...scsi(`${hba}/host8/session1`, '8:0:0:1', 'sdf', { model: 'LUN\n' }),
    ...scsi(`${hba}/host9/rport-9:0-0`, '9:0:0:1', 'sdg', { model: 'LUN\n' }),
    ...block('/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda', { serial: 'root\n' }),
    ...block('/sys/devices/LNXSYSTM:00/ndbus0/region0/namespace0.0/block/pmem0'),
    ...block('/sys/devices/platform/mmc0/mmc0:0001/block/mmcblk0', {
      'device/type': 'MMC\n',
      'device/name': 'A3A551\n',
    }),
  });
  expect(disks.map(({ name, transport, model }) => [name, transport, model])).toEqual([
    ['/dev/mmcblk0', 'mmc', 'A3A551'],
    ['/dev/pmem0', 'nvdimm', ''],
    ['/dev/sda', 'sata', 'SAMSUNG MZ7LH960HAJR-00005'],
    ['/dev/sdb', 'sas', 'ST1200MM0009'],
    ['/dev/sdc', 'sata', 'INTEL SSDSC2KB96'],
    ['/dev/sdd', 'usb', 'Extreme SSD'],
    ['/dev/sde', 'virtio', ''],
    ['/dev/sdf', 'iscsi', 'LUN'],
    ['/dev/sdg', 'fc', 'LUN'],
    ['/dev/vda', 'virtio', ''],
  ]);
  expect(disks[2]).toMatchObject({
    serial: 'S45NNE0M500001',
    firmware: 'HXT7404Q',
    wwn: 'naa.5002538e40a1b2c3',
    controller: '0000:00:17.0',
  });
  expect(disks[9]).toMatchObject({ serial: 'root', controller: '0000:00:02.0' });
});

test.each([
  ['megaraid_sas', '0:2:0:0', 'MR9361-8i', true],
  ['megaraid_sas', '0:2:1:0', 'a name of the operator', true],
  ['megaraid_sas', '0:0:8:0', 'ST1200MM0009', false],
  ['megaraid_sas', '0:2:0:0', 'PERC H740P Mini', true],
  ['smartpqi', '0:1:0:0', 'LOGICAL VOLUME', true],
  ['smartpqi', '0:0:3:0', 'EG001200JWJNK', false],
  ['hpsa', '0:1:0:0', 'LOGICAL VOLUME', true],
  ['aacraid', '0:0:0:0', 'boot', true],
  ['aacraid', '0:1:3:0', 'ST1200MM0009', false],
  ['mpt3sas', '0:1:0:0', 'Logical Volume', true],
  ['mpt3sas', '0:0:0:0', 'ST1200MM0009', false],
  ['mpi3mr', '0:0:1:0', 'MR9660-16i', true],
  ['ahci', '0:0:0:0', 'DELLBOSS VD', true],
  ['ahci', '0:0:0:0', 'Micron_5300_MTFD', false],
])('on %s at %s, %s is a volume of a RAID controller: %s', (driver, address, model, expected) => {
  const disks = disksOf({
    ...bound('0000:3b:00.0', hba, driver, '0x010400', ['0x1000', '0x005d']),
    ...scsi(`${hba}/host0`, address, 'sda', { vendor: 'X\n', model: `${model}\n` }),
  });
  expect(disks).toMatchObject([{ raidVolume: expected, controller: '0000:3b:00.0' }]);
});

test('the level of a RAID volume is what its driver says', () => {
  const levelOf = (level: string): string | undefined =>
    disksOf(scsi(`${hba}/host0`, '0:1:0:0', 'sda', { raid_level: `${level}\n` }))[0]?.raidLevel;
  expect(levelOf('RAID-1(1+0)')).toBe('RAID-1(1+0)');
  expect(levelOf('N/A')).toBe('');
});

test('storage controllers are named with their disks, and one without a driver is a problem', () => {
  const ids =
    '1000  Broadcom / LSI\n\t005d  MegaRAID SAS-3 3108 [Invader]\n8086  Intel Corporation\n\t2822  SATA Controller [RAID mode]\n';
  using machine = plant({
    '/usr/share/misc/pci.ids': ids,
    ...bound('0000:3b:00.0', hba, 'megaraid_sas', '0x010400', ['0x1000', '0x005d']),
    ...bound('0000:00:17.0', ahci, 'ahci', '0x010400', ['0x8086', '0x2822']),
    ...bound('0000:41:00.0', '/sys/devices/pci0000:40/0000:41:00.0', '', '0x010400', ['0x9005', '0x028f']),
    ...bound('0000:42:00.0', '/sys/devices/pci0000:40/0000:42:00.0', 'nvme', '0x010802', ['0x144d', '0xa80a']),
    ...bound('0000:43:00.0', '/sys/devices/pci0000:40/0000:43:00.0', 'i40e', '0x020000', ['0x8086', '0x1572']),
    ...scsi(`${hba}/host0`, '0:2:0:0', 'sda', { model: 'MR9361-8i\n' }),
    ...scsi(`${hba}/host0`, '0:2:1:0', 'sdb', { model: 'MR9361-8i\n' }),
  });
  const { storage, problems } = takeInventory(openSysfs(machine.root));
  expect(storage).toEqual([
    {
      address: '0000:00:17.0',
      kind: 'firmware-raid',
      vendor: 'Intel Corporation',
      model: 'SATA Controller [RAID mode]',
      driver: 'ahci',
      disks: [],
    },
    {
      address: '0000:3b:00.0',
      kind: 'raid',
      vendor: 'Broadcom / LSI',
      model: 'MegaRAID SAS-3 3108 [Invader]',
      driver: 'megaraid_sas',
      disks: ['/dev/sda', '/dev/sdb'],
    },
    expect.objectContaining({ address: '0000:41:00.0', kind: 'raid', driver: '' }),
    expect.objectContaining({ address: '0000:42:00.0', kind: 'nvme' }),
  ]);
  expect(problems).toContain('storage: no driver for 0x9005 0x028f at 0000:41:00.0; disks on it are not seen');
});

test.each([
  ['AMI', 'Virtual HDisk0', {}],
  ['AMI', 'Virtual Floppy0', {}],
  ['iDRAC', 'Virtual Floppy', {}],
  ['Linux', 'vFlash', {}],
  ['iLO', 'Virtual USB Key', {}],
  ['ATEN', 'Virtual Disk YS0J', {}],
  ['CIMC', 'CIMC-Mapped vHDD', {}],
  ['Linux', 'File-Stor Gadget', {}],
  ['Generic', 'Flash', { idVendor: '046b\n' }],
  ['Generic', 'Flash', { manufacturer: 'OpenBMC\n' }],
])('virtual media of a BMC, %s %s %j, is no disk', (vendor, model, files) => {
  const tree: Record<string, string> = {};
  for (const [file, content] of Object.entries(files)) tree[`${usbPort}/${file}`] = content;
  const disk = { vendor: `${vendor}\n`, model: `${model}\n` };
  expect(disksOf({ ...tree, ...scsi(`${usbPort}/1-14:1.0/host6`, '6:0:0:0', 'sda', disk) })).toEqual([]);
});

test('a virtual disk of a hypervisor is a disk', () => {
  const disk = { vendor: 'VMware\n', model: 'Virtual disk\n' };
  expect(disksOf(scsi(`${hba}/host0`, '0:0:0:0', 'sda', disk))).toMatchObject([{ transport: 'scsi' }]);
});

test('what is no disk is left out, whatever it is called', () => {
  const names = ['loop0', 'ram0', 'zram0', 'dm-0', 'md127', 'nbd0', 'bcache0', 'zd0', 'drbd0', 'other0'];
  const virtual = names.map((name) => block(`/sys/devices/virtual/block/${name}`));
  const disks = disksOf({
    ...Object.assign({}, ...virtual),
    ...scsi(`${ahci}/ata2/host2`, '2:0:0:0', 'sr0', { type: '5\n' }),
    ...scsi(`${ahci}/ata3/host3`, '3:0:0:0', 'sdx', { type: '5\n' }),
    ...block('/sys/devices/platform/floppy.0/block/fd0'),
    ...block('/sys/devices/platform/mmc0/mmc0:0001/block/mmcblk0boot0'),
    ...block('/sys/devices/platform/mmc0/mmc0:0001/block/mmcblk0rpmb'),
    ...block('/sys/devices/platform/mmc1/mmc1:aaaa/block/mmcblk1', { 'device/type': 'SD\n' }),
    ...block(`${ahci}/block/empty`, { size: '0\n' }),
    ...block(`${ahci}/block/stick`, { removable: '1\n' }),
    ...block(`${ahci}/block/sda1`, { partition: '1\n' }),
  });
  expect(disks).toEqual([]);
});

test('a disk cannot put control characters into the inventory', () => {
  const disks = disksOf(
    scsi(`${hba}/host0`, '0:0:0:0', 'sda', { model: '\u001b[2Jevil\u202e\nname\n', rev: '\u0000\n' }),
  );
  expect(disks).toMatchObject([{ model: '[2Jevil name', firmware: '' }]);
});

test('vital product data of any bytes and any length are a value, never a throw', () => {
  expect(vpdSerial(new Uint8Array([0, 0x80, 0xff, 0xff, 0x41]))).toBe('A');
  expect(vpdSerial(new Uint8Array([0, 0x83, 0, 1, 0x41]))).toBe('');
  const whole = ataPage('M', 'S', 'F');
  for (let length = 0; length < whole.length; length++) expect(ataIdentity(whole.subarray(0, length))).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const page = Uint8Array.of(0, 0x89, 2, 0x38, ...bytes);
      vpdSerial(page);
      ataIdentity(page);
    }),
  );
});
