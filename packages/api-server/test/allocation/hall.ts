import { adminV2, apiV2, createClient, infraV2, type ApiClient, type MessageInitShape } from '@ingot/api';
import { afterEach, expect } from 'vitest';
import { cableTo, hardware, leaf, until, type Rig } from '../support.ts';

const { SizeConstraintType, ImageFeature, ImageClassification, NetworkType: Type } = apiV2;

/** An update whatever has happened meanwhile. */
export const SERVER: { readonly lockingStrategy: apiV2.OptimisticLockingStrategy } = {
  lockingStrategy: apiV2.OptimisticLockingStrategy.SERVER,
};

/** The machine of this number. */
export const machineId = (index: number): string => `aaaaaaaa-0000-4000-8000-${String(index).padStart(12, '0')}`;
const open: AbortController[] = [];

afterEach(() => {
  for (const stream of open.splice(0)) stream.abort();
});

/** Clients with the admin's rights, two projects, and what is asked for in an allocation. */
export interface Hall {
  readonly machines: ApiClient<typeof apiV2.MachineService>;
  readonly admin: ApiClient<typeof adminV2.MachineService>;
  readonly projects: ApiClient<typeof apiV2.ProjectService>;
  readonly tenants: ApiClient<typeof adminV2.TenantService>;
  readonly networks: ApiClient<typeof adminV2.NetworkService>;
  readonly ips: ApiClient<typeof apiV2.IPService>;
  readonly reservations: ApiClient<typeof adminV2.SizeReservationService>;
  readonly images: ApiClient<typeof adminV2.ImageService>;
  readonly sizes: ApiClient<typeof adminV2.SizeService>;
  readonly layouts: ApiClient<typeof adminV2.FilesystemService>;
  readonly boot: ApiClient<typeof infraV2.BootService>;
  readonly events: ApiClient<typeof infraV2.EventService>;
  readonly switches: ApiClient<typeof infraV2.SwitchService>;
  readonly bmc: ApiClient<typeof infraV2.BMCService>;
  readonly a: string;
  readonly b: string;
  readonly wish: (change?: MachineWish) => MachineWish & { readonly project: string };
}

type MachineWish = MessageInitShape<typeof apiV2.MachineServiceCreateRequestSchema>;

/** A partition with machines that wait, two to a pair of leaves, and what is needed to allocate them. */
export async function hall(rig: Rig, machines: number): Promise<Hall> {
  const clients = {
    machines: createClient(apiV2.MachineService, rig.admin),
    admin: createClient(adminV2.MachineService, rig.admin),
    projects: createClient(apiV2.ProjectService, rig.admin),
    tenants: createClient(adminV2.TenantService, rig.admin),
    networks: createClient(adminV2.NetworkService, rig.admin),
    ips: createClient(apiV2.IPService, rig.admin),
    reservations: createClient(adminV2.SizeReservationService, rig.admin),
    images: createClient(adminV2.ImageService, rig.admin),
    sizes: createClient(adminV2.SizeService, rig.admin),
    layouts: createClient(adminV2.FilesystemService, rig.admin),
    boot: createClient(infraV2.BootService, rig.admin),
    events: createClient(infraV2.EventService, rig.admin),
    switches: createClient(infraV2.SwitchService, rig.admin),
    bmc: createClient(infraV2.BMCService, rig.admin),
  };
  await clients.tenants.create({ name: 'acme' });
  const project = async (name: string): Promise<string> =>
    (await clients.projects.create({ login: 'acme', name, description: '' })).project?.uuid ?? '';
  const [a, b] = [await project('a1'), await project('b1')];
  await clients.sizes.create({
    size: {
      id: 'c1',
      constraints: [
        { type: SizeConstraintType.CORES, min: 0n, max: 9999n },
        { type: SizeConstraintType.MEMORY, min: 0n, max: 2n ** 60n },
        { type: SizeConstraintType.STORAGE, min: 0n, max: 2n ** 60n },
      ],
    },
  });
  await clients.images.create({
    image: {
      id: 'debian-12.0.20260101',
      url: 'http://images/debian.tar',
      features: [ImageFeature.MACHINE, ImageFeature.FIREWALL],
      classification: ImageClassification.SUPPORTED,
    },
  });
  await clients.layouts.create({
    filesystemLayout: {
      id: 'tmp',
      filesystems: [{ device: 'tmpfs', format: apiV2.Format.TMPFS, path: '/tmp' }],
      constraints: { sizes: ['c1'], images: { debian: '*' } },
    },
  });
  await clients.networks.create({
    id: 'super',
    type: Type.SUPER,
    partition: 'lab',
    prefixes: ['10.0.0.0/16'],
    defaultChildPrefixLength: { ipv4: 24 },
  });
  for (const [id, owner] of [
    ['net-a', a],
    ['net-b', b],
  ] as const)
    await clients.networks.create({ id, type: Type.CHILD, project: owner, parentNetwork: 'super' });
  await clients.networks.create({ id: 'internet', type: Type.EXTERNAL, prefixes: ['198.51.100.0/24'], vrf: 104_009 });
  await clients.networks.create({ id: 'underlay', type: Type.UNDERLAY, partition: 'lab', prefixes: ['10.255.0.0/24'] });
  for (let index = 0; index < machines; index += 1) {
    const pair = Math.floor(index / 2);
    const [one, other] = [`leaf${pair}a`, `leaf${pair}b`];
    if (index % 2 === 0)
      for (const id of [one, other])
        await clients.switches.register({
          switch: leaf(id, (made) => {
            made.rack = `rack${pair}`;
          }),
        });
    const port = `Eth1/${(index % 2) + 1}`;
    await clients.boot.register({
      uuid: machineId(index),
      partition: 'lab',
      bios: { version: '1', vendor: 'x', date: '1' },
      hardware: hardware(cableTo('eth0', one, port), cableTo('eth1', other, port)),
      tags: ['row=7', 'ingot.inventory.boot=uefi'],
      fru: { chassisPartSerial: `chassis${index}` },
      bmc: {
        address: `10.9.0.${index + 1}:623`,
        mac: '52:54:00:00:00:01',
        user: 'u1',
        password: 'secret',
        interface: 'lanplus',
        version: '2',
        powerState: 'ON',
      },
    });
    await waits(rig, clients, machineId(index));
  }
  const wish: Hall['wish'] = (change = {}) => ({
    project: a,
    name: 'web',
    partition: 'lab',
    size: 'c1',
    image: 'debian-12',
    networks: [{ network: 'net-a' }],
    ...change,
  });
  return { ...clients, a, b, wish };
}

/** The machine waits and says that it lives. */
async function waits(rig: Rig, { boot, events }: Pick<Hall, 'boot' | 'events'>, uuid: string): Promise<void> {
  await events.send({ events: { [uuid]: { event: apiV2.MachineProvisioningEventType.WAITING, message: '' } } });
  const stream = new AbortController();
  open.push(stream);
  void (async () => {
    try {
      for await (const answer of boot.wait({ uuid }, { signal: stream.signal }))
        expect(answer.allocation).toBeDefined();
    } catch {
      // Ended by the test.
    }
  })();
  await until(() => rig.plane.stores.waiting.isWaiting(uuid));
}
