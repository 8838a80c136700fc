import {
  adminV2,
  apiV2,
  Code,
  create,
  createClient,
  infraV2,
  timestampFromMs,
  type MessageInitShape,
} from '@ingot/api';
import { describe, expect, test } from 'vitest';
import { cableTo, failure, hardware, leaf, machineA, startRig, type Rig } from './support.ts';

const { SizeConstraintType: Type, ImageFeature, ImageClassification, OptimisticLockingStrategy } = apiV2;
const { CLIENT, SERVER } = OptimisticLockingStrategy;
const PROJECT = 'cccccccc-0000-4000-8000-00000000000c';

function clients(rig: Rig) {
  return {
    sizes: createClient(apiV2.SizeService, rig.admin),
    adminSizes: createClient(adminV2.SizeService, rig.admin),
    reservations: createClient(adminV2.SizeReservationService, rig.admin),
    ofProject: createClient(apiV2.SizeReservationService, rig.admin),
    constraints: createClient(adminV2.SizeImageConstraintService, rig.admin),
    tries: createClient(apiV2.SizeImageConstraintService, rig.admin),
    images: createClient(apiV2.ImageService, rig.admin),
    adminImages: createClient(adminV2.ImageService, rig.admin),
    layouts: createClient(adminV2.FilesystemService, rig.admin),
    partitions: createClient(adminV2.PartitionService, rig.admin),
    machines: createClient(adminV2.MachineService, rig.admin),
    boot: createClient(infraV2.BootService, rig.admin),
  };
}

type SizeInit = MessageInitShape<typeof apiV2.SizeSchema>;

const cores = (min: bigint, max = min) => ({ type: Type.CORES, min, max });
const memory = (min: bigint, max = min) => ({ type: Type.MEMORY, min, max });
const storage = (min: bigint, max: bigint) => ({ type: Type.STORAGE, min, max });
const small: SizeInit = { id: 'small', constraints: [cores(1n, 8n), memory(0n, 64n), storage(0n, 100n)] };
const image = (id: string, change: MessageInitShape<typeof apiV2.ImageSchema> = {}) => ({
  image: {
    id,
    url: `http://images/${id}.tar`,
    features: [ImageFeature.MACHINE],
    classification: ImageClassification.SUPPORTED,
    ...change,
  },
});

describe('sizes', () => {
  test('are made, read, changed and deleted', async () => {
    await using rig = await startRig();
    const { sizes, adminSizes } = clients(rig);
    const made = await adminSizes.create({ size: { ...small, meta: { labels: { labels: { kind: 'web' } } } } });
    expect(made.size?.meta?.generation).toBe(1n);
    expect((await sizes.list({ query: { labels: { labels: { kind: 'web' } } } })).sizes).toHaveLength(1);
    expect((await sizes.list({ query: { labels: { labels: { kind: 'db' } } } })).sizes).toEqual([]);
    const changed = await adminSizes.update({
      id: 'small',
      updateMeta: { updatedAt: made.size?.meta?.updatedAt, lockingStrategy: CLIENT },
      description: 'for the web',
      labels: { strategy: { case: 'patch', value: { update: { labels: { rows: '2' } }, remove: ['kind'] } } },
    });
    expect(changed.size).toMatchObject({ description: 'for the web', meta: { labels: { labels: { rows: '2' } } } });
    expect(changed.size?.constraints).toHaveLength(3);
    await adminSizes.delete({ id: 'small' });
    expect((await failure(sizes.get({ id: 'small' }))).code).toBe(Code.NotFound);
  });

  test('are not changed over somebody else’s change', async () => {
    await using rig = await startRig();
    const { adminSizes } = clients(rig);
    const { size } = await adminSizes.create({ size: small });
    await adminSizes.update({ id: 'small', updateMeta: { lockingStrategy: SERVER }, description: 'first' });
    const stale = timestampFromMs(Number(size?.meta?.updatedAt?.seconds ?? 0n) * 1000 - 1);
    const lost = adminSizes.update({ id: 'small', updateMeta: { updatedAt: stale }, description: 'second' });
    expect(await failure(lost)).toMatchObject({ code: Code.Aborted, message: expect.stringContaining('get it again') });
    const blind = adminSizes.update({ id: 'small', updateMeta: {}, description: 'third' });
    expect((await failure(blind)).code).toBe(Code.InvalidArgument);
  });

  test('that overlap, or that are wrong in themselves, are refused', async () => {
    await using rig = await startRig();
    const { adminSizes } = clients(rig);
    await adminSizes.create({ size: small });
    const twin = adminSizes.create({ size: { ...small, id: 'twin' } });
    expect(await failure(twin)).toMatchObject({
      code: Code.FailedPrecondition,
      message: expect.stringContaining('overlaps with "small"'),
    });
    expect((await failure(adminSizes.create({ size: { id: 'bad', constraints: [memory(2n, 1n)] } }))).code).toBe(
      Code.InvalidArgument,
    );
    expect((await failure(adminSizes.create({ size: { id: 'unknown' } }))).code).toBe(Code.InvalidArgument);
    expect((await failure(adminSizes.create({ size: small }))).code).toBe(Code.AlreadyExists);
    await adminSizes.create({
      size: { id: 'large', constraints: [cores(9n, 64n), memory(0n, 64n), storage(0n, 100n)] },
    });
    const grown = adminSizes.update({
      id: 'large',
      updateMeta: { lockingStrategy: SERVER },
      constraints: [cores(8n, 64n), memory(0n, 64n), storage(0n, 100n)],
    });
    expect((await failure(grown)).code).toBe(Code.FailedPrecondition);
  });

  test('that overlap are refused also when they are made at the same time', async () => {
    await using rig = await startRig();
    const { sizes, adminSizes } = clients(rig);
    const made = await Promise.allSettled(
      ['a1', 'a2', 'a3', 'a4'].map((id) => adminSizes.create({ size: { ...small, id } })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await sizes.list({})).sizes).toHaveLength(1);
  });

  test('are given to a machine that registers, and then cannot be deleted', async () => {
    await using rig = await startRig();
    const { adminSizes, machines, boot } = clients(rig);
    await createClient(infraV2.SwitchService, rig.admin).register({ switch: leaf('leaf01') });
    await createClient(infraV2.SwitchService, rig.admin).register({ switch: leaf('leaf02') });
    const found = hardware(cableTo('eth0', 'leaf01', 'Eth1/1'), cableTo('eth1', 'leaf02', 'Eth1/1'));
    const request = {
      uuid: machineA,
      partition: 'lab',
      bios: { version: '1', vendor: 'x', date: '1' },
      hardware: found,
    };
    expect((await boot.register(request)).size).toBe('unknown');
    const total = found.cpus?.reduce((sum, cpu) => sum + BigInt(cpu.cores ?? 0), 0n) ?? 0n;
    const disks = found.disks?.reduce((sum, disk) => sum + (disk.size ?? 0n), 0n) ?? 0n;
    const constraints = [
      ...(total > 0n ? [cores(total)] : []),
      memory(found.memory ?? 0n),
      ...(disks > 0n ? [storage(disks, disks)] : []),
    ];
    await adminSizes.create({ size: { id: 'exact', constraints } });
    expect((await boot.register(request)).size).toBe('exact');
    expect((await machines.get({ uuid: machineA })).machine?.size?.id).toBe('exact');
    expect(await failure(adminSizes.delete({ id: 'exact' }))).toMatchObject({
      code: Code.FailedPrecondition,
      message: expect.stringContaining(machineA),
    });
  });
});

describe('size reservations', () => {
  test('name a size, a project and partitions that there are', async () => {
    await using rig = await startRig();
    const { adminSizes, reservations, ofProject } = clients(rig);
    const wanted = { name: 'r1', project: PROJECT, size: 'small', partitions: ['lab'], amount: 2 };
    expect((await failure(reservations.create({ sizeReservation: wanted }))).message).toContain('no size "small"');
    await adminSizes.create({ size: small });
    expect((await failure(reservations.create({ sizeReservation: wanted }))).message).toContain('no project');
    await rig.plane.stores.projects.create(PROJECT, create(apiV2.ProjectSchema, { uuid: PROJECT, tenant: 'acme' }));
    const elsewhere = reservations.create({ sizeReservation: { ...wanted, partitions: ['nowhere'] } });
    expect((await failure(elsewhere)).message).toContain('no partition "nowhere"');
    const { sizeReservation } = await reservations.create({ sizeReservation: wanted });
    const id = sizeReservation?.id ?? '';
    expect((await ofProject.get({ id, project: PROJECT })).sizeReservation?.amount).toBe(2);
    expect((await failure(ofProject.get({ id, project: machineA }))).code).toBe(Code.NotFound);
    expect((await ofProject.list({ project: machineA, query: { project: PROJECT } })).sizeReservations).toEqual([]);
    await reservations.update({ id, updateMeta: { lockingStrategy: SERVER }, amount: 3 });
    expect((await reservations.list({ query: { partition: 'lab' } })).sizeReservations[0]?.amount).toBe(3);
    expect((await failure(adminSizes.delete({ id: 'small' }))).message).toContain('1 reservations');
    await reservations.delete({ id });
    await adminSizes.delete({ id: 'small' });
  });

  test.each([{ amount: 0 }, { amount: -1 }, { partitions: [] }, { partitions: ['lab', 'lab'] }, { project: 'x' }])(
    'with %j are refused',
    async (change) => {
      await using rig = await startRig();
      const wanted = { name: 'r1', project: PROJECT, size: 'small', partitions: ['lab'], amount: 2, ...change };
      const refused = await failure(clients(rig).reservations.create({ sizeReservation: wanted }));
      expect(refused.code).toBe(Code.InvalidArgument);
    },
  );
});

describe('images', () => {
  test('are found by their id, and the newest supported one by a short id', async () => {
    await using rig = await startRig();
    const { images, adminImages } = clients(rig);
    for (const id of ['debian-12.0.20260101', 'debian-12.0.20260901', 'debian-12.1.20260201'])
      await adminImages.create(image(id));
    await adminImages.create(image('debian-12.2.20261001', { classification: ImageClassification.PREVIEW }));
    expect((await images.latest({ os: 'debian-12.0' })).image?.id).toBe('debian-12.0.20260901');
    expect((await images.latest({ os: 'debian-12' })).image?.id).toBe('debian-12.1.20260201');
    const preview = await images.latest({ os: 'debian-12', classification: ImageClassification.PREVIEW });
    expect(preview.image?.id).toBe('debian-12.2.20261001');
    expect((await images.list({ query: { os: 'debian', version: '12.1.20260201' } })).images).toHaveLength(1);
    expect((await failure(images.latest({ os: 'debian-13' }))).code).toBe(Code.NotFound);
    expect((await failure(images.latest({ os: 'Debian' }))).code).toBe(Code.InvalidArgument);
  });

  test('expire after 90 days unless they say otherwise, and are then no newest any more', async () => {
    await using rig = await startRig();
    const { images, adminImages } = clients(rig);
    const { image: made } = await adminImages.create(image('debian-12.0.20260101'));
    const days = (Number(made?.expiresAt?.seconds ?? 0n) * 1000 - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    await adminImages.update({
      id: 'debian-12.0.20260101',
      updateMeta: { lockingStrategy: SERVER },
      expiresAt: timestampFromMs(Date.now() - 1000),
    });
    expect((await failure(images.latest({ os: 'debian-12' }))).message).toContain('has not expired');
  });

  test.each([
    ['without patch version', image('debian-12.0')],
    ['without a feature', image('debian-12.0.1', { features: [] })],
    ['that has expired already', image('debian-12.0.1', { expiresAt: timestampFromMs(1000) })],
    ['without a good URL', image('debian-12.0.1', { url: 'x' })],
  ])('%s are refused', async (_name, request) => {
    await using rig = await startRig();
    expect((await failure(clients(rig).adminImages.create(request))).code).toBe(Code.InvalidArgument);
  });

  test('are restricted by size', async () => {
    await using rig = await startRig();
    const { adminSizes, adminImages, constraints, tries } = clients(rig);
    await adminSizes.create({ size: small });
    for (const id of ['debian-12.0.20260101', 'debian-12.0.20260901', 'ubuntu-24.4.20260101'])
      await adminImages.create(image(id));
    const bad = constraints.create({ size: 'small', imageConstraints: [{ image: 'debian', semverMatch: 'new' }] });
    expect((await failure(bad)).message).toContain('"new" is no range');
    await constraints.create({
      size: 'small',
      imageConstraints: [{ image: 'debian', semverMatch: '>= 12.0.20260201, < 13' }],
    });
    await tries.try({ size: 'small', image: 'debian-12.0.20260901' });
    await tries.try({ size: 'small', image: 'ubuntu-24.4.20260101' });
    expect(await failure(tries.try({ size: 'small', image: 'debian-12.0.20260101' }))).toMatchObject({
      code: Code.FailedPrecondition,
      message: 'size "small" takes debian >= 12.0.20260201, < 13 only, not image "debian-12.0.20260101"',
    });
  });
});

describe('filesystem layouts', () => {
  type LayoutInit = Exclude<MessageInitShape<typeof apiV2.FilesystemLayoutSchema>, apiV2.FilesystemLayout>;
  const layout = (id: string, change: LayoutInit = {}) => ({
    filesystemLayout: {
      id,
      disks: [
        {
          device: '/dev/sda',
          partitions: [
            { number: 1, size: 500n, gptType: apiV2.GPTType.GPT_TYPE_LINUX },
            { number: 2, size: 0n, gptType: apiV2.GPTType.GPT_TYPE_LINUX },
          ],
        },
      ],
      filesystems: [
        { device: '/dev/sda1', format: apiV2.Format.VFAT, path: '/boot/efi' },
        { device: '/dev/sda2', format: apiV2.Format.EXT4, path: '/' },
      ],
      constraints: { sizes: ['small'], images: { debian: '*' } },
      ...change,
    },
  });

  test('are matched by size and image, and by the disks of a machine', async () => {
    await using rig = await startRig();
    const { adminSizes, adminImages, layouts } = clients(rig);
    await adminSizes.create({ size: small });
    await adminImages.create(image('debian-12.0.20260101'));
    await layouts.create(layout('default'));
    const match = (value: { size: string; image: string }) => layouts.match({ match: { case: 'sizeAndImage', value } });
    expect((await match({ size: 'small', image: 'debian-12' })).filesystemLayout?.id).toBe('default');
    expect((await failure(match({ size: 'other', image: 'debian-12' }))).code).toBe(Code.NotFound);
    const twin = await failure(layouts.create(layout('twin')));
    expect(twin.message).toContain('are both for size "small" with debian');
  });

  test.each<[string, LayoutInit, string]>([
    [
      'a device that nothing makes',
      { filesystems: [{ device: '/dev/sdb1', format: apiV2.Format.EXT4, path: '/' }] },
      'nothing in this layout makes /dev/sdb1',
    ],
    [
      'two partitions with one number',
      {
        disks: [
          {
            device: '/dev/sda',
            partitions: [
              { number: 1, size: 1n, gptType: apiV2.GPTType.GPT_TYPE_LINUX },
              { number: 1, size: 0n, gptType: apiV2.GPTType.GPT_TYPE_LINUX },
            ],
          },
        ],
      },
      'the number is used twice',
    ],
    ['a bad range of versions', { constraints: { sizes: [], images: { debian: 'x y z' } } }, 'is no range of versions'],
    [
      'a RAID of one disk',
      { raid: [{ arrayName: '/dev/md0', devices: ['/dev/sda1'], level: apiV2.RaidLevel.RAID_LEVEL_1 }] },
      'needs 2 devices',
    ],
    [
      'a path that is no path',
      { filesystems: [{ device: '/dev/sda1', format: apiV2.Format.EXT4, path: 'root' }] },
      'has to start with "/"',
    ],
  ])('with %s are refused', async (_name, change, words) => {
    await using rig = await startRig();
    const { adminSizes, layouts } = clients(rig);
    await adminSizes.create({ size: small });
    expect((await failure(layouts.create(layout('bad', change)))).message).toContain(words);
  });
});

describe('partitions', () => {
  test('are made and deleted, but not those of the configuration', async () => {
    await using rig = await startRig();
    const { partitions } = clients(rig);
    await partitions.create({ partition: { id: 'second', description: 'another hall' } });
    const { partition } = await partitions.update({
      id: 'second',
      updateMeta: { lockingStrategy: SERVER },
      dnsServers: [{ ip: '10.0.0.9' }],
    });
    expect(partition?.dnsServers[0]?.ip).toBe('10.0.0.9');
    await partitions.delete({ id: 'second' });
    expect((await failure(partitions.delete({ id: 'lab' }))).message).toContain('in the configuration');
    const changed = partitions.update({ id: 'lab', updateMeta: { lockingStrategy: SERVER }, description: 'x' });
    expect((await failure(changed)).code).toBe(Code.FailedPrecondition);
  });
});
