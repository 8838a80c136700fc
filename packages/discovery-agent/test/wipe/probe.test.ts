import { expect, test } from 'vitest';
import type { RunCommand } from '../../src/command.ts';
import { openSysfs } from '../../src/sysfs.ts';
import { programsAtWork } from '../../src/wipe/at-work.ts';
import { readDiskUse } from '../../src/wipe/disk-use.ts';
import type { WipeFacts } from '../../src/wipe/facts.ts';
import { probeDisks } from '../../src/wipe/probe.ts';
import { plant } from '../tree.ts';
import type { Tree } from '../tree.ts';
import { identifyText, opcodes, sanitizeLog } from './outputs.ts';

/** A block device at `path`; `files` below it. */
function block(path: string, files: Readonly<Record<string, string | Uint8Array>> = {}): Tree {
  const name = path.split('/').at(-1) ?? '';
  const all = {
    size: '2097152',
    removable: '0',
    ro: '0',
    'queue/logical_block_size': '512',
    'queue/rotational': '0',
    'queue/discard_max_bytes': '2199023255040',
    'queue/write_zeroes_max_bytes': '0',
    ...files,
  };
  return {
    ...Object.fromEntries(Object.entries(all).map(([file, content]) => [`${path}/${file}`, content])),
    [`/sys/block/${name}`]: { link: `../..${path}` },
    [`/sys/class/block/${name}`]: { link: `../../..${path}` },
  };
}

const nvme = '/sys/devices/pci0000:40/0000:40:01.1/0000:41:00.0/nvme/nvme0';

function nvmeNamespace(nsid: number, files: Readonly<Record<string, string>> = {}): Tree {
  const path = `${nvme}/nvme0n${nsid}`;
  return { ...block(path, { nsid: `${nsid}`, ...files }), [`${path}/device`]: { link: '../../nvme0' } };
}

const oneController: Tree = {
  [`${nvme}/transport`]: 'pcie',
  '/sys/class/nvme-subsystem/nvme-subsys0/nvme0': { link: `../../../..${nvme}` },
};

const scsiDevice = '/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0';

function scsi(name: string, device: string, files: Readonly<Record<string, string | Uint8Array>>): Tree {
  const path = `${device}/block/${name}`;
  return { ...block(path, files), [`${path}/device`]: { link: '../../../0:0:0:0' } };
}

const namespaceJson = (change: object = {}): string =>
  JSON.stringify({ flbas: 0, dps: 0, dlfeat: 1, nsattr: 0, ...change });

type Answers = Readonly<Record<string, string>>;

/** Programs by the beginning of their command line; whatever is not there fails. */
async function probe(tree: Tree, answers: Answers, devices?: string[]): Promise<WipeFacts & { asked: string[] }> {
  using machine = plant(tree);
  const asked: string[] = [];
  const run: RunCommand = (file, args) => {
    const line = [file, ...args].join(' ');
    asked.push(line);
    const found = Object.entries(answers).find(([start]) => line.startsWith(start))?.[1];
    return found === undefined ? Promise.reject(new Error(`${line}: no such answer`)) : Promise.resolve(found);
  };
  const signal = new AbortController().signal;
  return { ...(await probeDisks({ sysfs: openSysfs(machine.root), run, signal, devices })), asked };
}

test('a controller and its namespaces are asked what they can', async () => {
  const found = await probe(
    { ...oneController, ...nvmeNamespace(1), ...nvmeNamespace(2, { ro: '1' }) },
    {
      'nvme id-ctrl /dev/nvme0': JSON.stringify({ oacs: 10, fna: 4, sanicap: 3 }),
      'nvme sanitize-log /dev/nvme0': sanitizeLog('(2) Sanitize in Progress.', 1),
      'nvme list-ns /dev/nvme0 --all': JSON.stringify({ nsid_list: [{ nsid: 1 }, { nsid: 2 }, { nsid: 9 }] }),
      'nvme id-ns /dev/nvme0n1': namespaceJson({ flbas: 1 }),
      'nvme id-ns /dev/nvme0n2': namespaceJson(),
    },
  );
  expect(found.subsystems).toEqual([
    {
      key: 'nvme-subsys0',
      controller: '/dev/nvme0',
      sanitizeCrypto: true,
      sanitizeBlock: true,
      format: true,
      formatHitsAll: false,
      cryptoFormat: true,
      sanitizeState: 'in-progress',
      sanitizeSeconds: { crypto: 4, block: undefined },
      hiddenNamespaces: [9],
      problems: [],
    },
  ]);
  expect(found.disks).toMatchObject([
    { device: '/dev/nvme0n1', sizeBytes: 2 ** 30, discardZeroes: true, readOnly: false, kind: { bus: 'nvme' } },
    { device: '/dev/nvme0n2', readOnly: true },
  ]);
  expect(found.disks[0]?.kind).toMatchObject({
    namespace: { subsystem: 'nvme-subsys0', nsid: 1, layout: { lbaFormat: 1 } },
  });
});

test('a namespace that is not asked for is known all the same, since a sanitize would reach it', async () => {
  const found = await probe({ ...oneController, ...nvmeNamespace(1), ...nvmeNamespace(2) }, {}, ['/dev/nvme0n2']);
  expect(found.disks.map(({ device }) => device)).toEqual(['/dev/nvme0n2', '/dev/nvme0n1']);
});

test('with multipath a namespace hangs below its subsystem, and its hidden paths are no disks', async () => {
  const head = '/sys/devices/virtual/nvme-subsystem/nvme-subsys0';
  const found = await probe(
    {
      ...oneController,
      ...block(`${head}/nvme0n1`, { nsid: '1' }),
      [`${head}/nvme0n1/device`]: { link: '../../nvme-subsys0' },
      [`${head}/nvme0`]: { link: `../../../../..${nvme}` },
      ...block(`${nvme}/nvme0c0n1`, { hidden: '1', nsid: '1' }),
    },
    { 'nvme id-ns /dev/nvme0n1': namespaceJson({ nsattr: 1 }) },
  );
  expect(found.disks).toMatchObject([{ device: '/dev/nvme0n1', readOnly: true }]);
  expect(found.subsystems).toMatchObject([{ key: 'nvme-subsys0', controller: '/dev/nvme0' }]);
});

test('a controller that does not answer loses its abilities, not its namespaces', async () => {
  const found = await probe({ ...oneController, ...nvmeNamespace(1) }, {});
  expect(found.subsystems).toMatchObject([{ sanitizeCrypto: false, format: false, formatHitsAll: true }]);
  expect(found.subsystems[0]?.problems).toEqual([
    'nvme id-ctrl /dev/nvme0 -o json: no such answer',
    'nvme list-ns /dev/nvme0 -o json: no such answer',
  ]);
  expect(found.disks).toMatchObject([
    { discardZeroes: false, kind: { bus: 'nvme', namespace: { nsid: 1, layout: undefined } } },
  ]);
});

test('a SATA disk is asked by hdparm; trimmed blocks that read as zeroes are its own word', async () => {
  const identify = identifyText({ 59: 0xb000, 69: 0x4020, 128: 0x0021, 169: 1 });
  const tree = { ...scsi('sda', scsiDevice, {}), [`${scsiDevice}/vendor`]: 'ATA     ' };
  const found = await probe(tree, {
    'hdparm --Istdout /dev/sda': identify,
    'hdparm --sanitize-status /dev/sda': 'State: SD2 Sanitize operation In Process',
    'hdparm -N /dev/sda': ' max sectors   = 100/300, HPA is enabled',
  });
  expect(found.disks).toMatchObject([
    {
      discardZeroes: true,
      kind: {
        bus: 'ata',
        security: { supported: true, enhanced: true },
        sanitize: { crypto: true, inProgress: true },
        hiddenSectors: 200,
      },
    },
  ]);
  const frozen = await probe(tree, {
    'hdparm --Istdout /dev/sda': identify,
    'hdparm --sanitize-status /dev/sda': 'State: SD1 Sanitize Frozen',
  });
  expect(frozen.disks[0]?.kind).toMatchObject({ sanitize: { crypto: false, block: false, overwrite: false } });
  const dumb = await probe(tree, {});
  expect(dumb.disks).toMatchObject([
    { kind: { bus: 'other' }, discardZeroes: false, problems: ['hdparm --Istdout /dev/sda: no such answer'] },
  ]);
});

test('a SAS disk is asked for each way to sanitize; the provisioning page tells what unmapped blocks read as', async () => {
  const device = '/sys/devices/pci0000:3a/0000:3b:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0';
  const found = await probe(
    {
      ...scsi('sdb', device, { 'queue/rotational': '1' }),
      [`${device}/vendor`]: 'SEAGATE',
      [`${device}/vpd_pgb2`]: Uint8Array.of(0, 0xb2, 0, 4, 0, 0xe4, 2, 0),
    },
    {
      'sg_opcodes --no-inquiry --opcode=0x48,3': opcodes.known,
      'sg_opcodes --no-inquiry --opcode=0x48,2': '  Command is NOT supported\n',
      'sg_opcodes --no-inquiry --opcode=0x48,1': opcodes.unknown,
    },
  );
  expect(found.disks).toMatchObject([
    {
      rotational: true,
      discardZeroes: true,
      kind: { bus: 'scsi', sanitize: { crypto: true, block: false, overwrite: false } },
    },
  ]);
});

test('a volume of a RAID controller and storage behind a network are asked nothing', async () => {
  const raid = '/sys/devices/pci0000:3a/0000:3b:00.0/host0/target0:2:0/0:2:0:0';
  const iscsi = '/sys/devices/platform/host5/session1/target5:0:0/5:0:0:0';
  const found = await probe(
    {
      ...block(`${raid}/block/sda`),
      [`${raid}/model`]: 'PERC H755',
      [`${raid}/block/sda/device`]: { link: '../../../0:2:0:0' },
      ...block(`${iscsi}/block/sdb`),
      ...block('/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host6/target6:0:0/6:0:0:0/block/sdc'),
    },
    {},
  );
  expect(found.disks).toMatchObject([
    { device: '/dev/sda', raidVolume: true, remote: false },
    { device: '/dev/sdb', raidVolume: false, remote: true },
    { device: '/dev/sdc', removable: true },
  ]);
  expect(found.asked.filter((line) => /sda|sdb/.test(line))).toEqual([]);
});

test('what is built upon disks is no disk, unless it is named', async () => {
  const tree = {
    ...block('/sys/devices/virtual/block/loop0'),
    ...block('/sys/devices/virtual/block/md0'),
    ...block('/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda', { 'queue/rotational': '1' }),
  };
  expect((await probe(tree, {})).disks.map(({ device, rotational }) => [device, rotational])).toEqual([
    ['/dev/vda', false],
  ]);
  expect((await probe(tree, {}, ['/dev/loop0'])).disks.map(({ device }) => device)).toEqual(['/dev/loop0']);
  await expect(probe(tree, {}, ['/dev/vda1'])).rejects.toThrow('/dev/vda1 is no whole disk of this machine; there is');
});

test('a disk on two cables is wiped by one of its names, and spared for what is mounted by the other', async () => {
  const path = (host: number, name: string): string =>
    `/sys/devices/pci0000:00/0000:00:17.0/host${host}/port-${host}:0/end_device-${host}:0/target${host}:0:0/${host}:0:0:0/block/${name}`;
  const disk = (host: number, name: string): Tree => ({
    ...block(path(host, name), { size: '2097152', wwid: 'naa.5000c500a1b2c3d7', serial: 'WFK0ABCD' }),
    [`${path(host, name)}/device`]: { link: `../../../${host}:0:0:0` },
  });
  const tree = { ...disk(0, 'sda'), ...disk(1, 'sdb'), ...block(path(2, 'sdc'), { serial: 'WFK0ABCE' }) };
  const used = async (more: Tree, devices?: string[]): Promise<unknown[]> =>
    (await probe({ ...tree, ...more }, {}, devices)).disks.map(({ device, use }) => [device, use.kind]);
  expect(await used({})).toEqual([
    ['/dev/sda', 'free'],
    ['/dev/sdc', 'free'],
  ]);
  const mounted = {
    '/proc/self/mountinfo': '24 22 8:16 / /srv rw - ext4 /dev/sdb rw\n',
    '/sys/dev/block/8:16': { link: `../../..${path(1, 'sdb')}` },
  };
  expect(await used(mounted, ['/dev/sda'])).toEqual([['/dev/sda', 'busy']]);
  expect(await used({}, ['/dev/sdb'])).toEqual([['/dev/sdb', 'free']]);
  expect(await used({}, ['/dev/sdb', '/dev/sda'])).toEqual([['/dev/sda', 'free']]);
});

test('a disk is in use by what is mounted, swapped to or assembled, however deep', () => {
  const sda = '/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda';
  const sdb = sda.replaceAll('sda', 'sdb');
  const sdc = sda.replaceAll('sda', 'sdc');
  const sdd = sda.replaceAll('sda', 'sdd');
  using machine = plant({
    ...block(sda),
    ...block(sdb),
    ...block(sdc),
    ...block(sdd),
    [`${sda}/sda1/partition`]: '1',
    [`${sda}/sda1/holders/dm-0`]: { link: '../../../../../../../../../../virtual/block/dm-0' },
    ...block('/sys/devices/virtual/block/dm-0'),
    '/sys/devices/virtual/block/dm-0/slaves/sda1': { link: `../../../../../..${sda}/sda1` },
    '/sys/dev/block/253:0': { link: '../../devices/virtual/block/dm-0' },
    [`${sdb}/sdb2/partition`]: '2',
    '/sys/class/block/sdb2': { link: `../../..${sdb}/sdb2` },
    '/dev/sdb2': '',
    [`${sdc}/holders/md0`]: { link: '../../../../../../../../../virtual/block/md0' },
    '/proc/self/mountinfo': [
      '22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw',
      '23 22 0:21 / /proc rw - proc proc rw',
      '24 22 0:33 / /srv/my\\040data rw - btrfs /dev/sdb2 rw',
    ].join('\n'),
    '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
  });
  expect(Object.fromEntries(readDiskUse(openSysfs(machine.root)))).toMatchObject({
    sda: { kind: 'boot', by: 'mounted on /' },
    sdb: { kind: 'busy', by: 'mounted on /srv/my data' },
    sdc: { kind: 'busy', by: 'part of md0' },
  });
  expect(readDiskUse(openSysfs(machine.root)).has('sdd')).toBe(false);
});

test('programs that erase a disk are found by their arguments, and nobody else', () => {
  using machine = plant({
    '/proc/12/cmdline': 'blkdiscard\0--force\0--zeroout\0/dev/vda\0',
    '/proc/13/cmdline': '/usr/sbin/nvme\0format\0/dev/nvme0\0',
    '/proc/14/cmdline': 'blkdiscard\0/dev/vdb\0',
    '/proc/15/cmdline': 'less\0/dev/vda\0',
    '/proc/16/cmdline': '',
    '/proc/self/cmdline': 'blkdiscard\0/dev/vda\0',
  });
  const sysfs = openSysfs(machine.root);
  expect(programsAtWork(sysfs, ['/dev/vda', '/dev/nvme0'])).toEqual(['blkdiscard (pid 12)', 'nvme (pid 13)']);
  expect(programsAtWork(sysfs, ['/dev/vd'])).toEqual([]);
});
