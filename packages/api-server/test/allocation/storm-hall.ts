import { adminV2, apiV2, create, createClient, type Channel } from '@ingot/api';
import type { Stores } from '../../src/store/stores.ts';
import { cableTo, hardware } from '../support.ts';

const { ImageClassification, ImageFeature, MachineProvisioningEventType, NetworkType, SizeConstraintType } = apiV2;

/** Whose allocations a storm is made of. */
export interface Contender {
  readonly project: string;
  readonly network: string;
  /** Allocations that are asked for. */
  readonly asks: number;
  /** Machines that are kept for the project. */
  readonly reserved: number;
  /** Machines that it must have in the end: neither more nor less. */
  readonly gets: number;
}

/** A hall of machines that wait, all of size `c1`. */
export interface Hall {
  readonly contenders: readonly Contender[];
  /** Seats of the machines that wait; they have to be renewed. */
  readonly seats: readonly string[];
}

const MACHINES_OF_A_RACK = 20;
const AT_ONCE = 100;

/**
 * Fills the partition `lab` for a storm of `asks` allocations, a multiple of ten: a tenth more machines than that, of
 * which two projects have reserved four tenths each and ask for three, while a third project asks for four tenths and can
 * have only the three that are nobody's.
 */
export async function fillHall(stores: Stores, admin: Channel, asks: number): Promise<Hall> {
  const tenth = asks / 10;
  await createClient(adminV2.TenantService, admin).create({ name: 'acme' });
  await describeMachines(admin);
  const contenders: Contender[] = [];
  for (const [name, wish, reserved] of [
    ['a1', 3, 4],
    ['b1', 3, 4],
    ['c1', 4, 0],
  ] as const) {
    const projects = createClient(apiV2.ProjectService, admin);
    const project = (await projects.create({ login: 'acme', name, description: '' })).project?.uuid ?? '';
    const network = `net-${name}`;
    await createClient(adminV2.NetworkService, admin).create({
      id: network,
      type: NetworkType.CHILD,
      project,
      parentNetwork: 'super',
    });
    if (reserved > 0)
      await createClient(adminV2.SizeReservationService, admin).create({
        sizeReservation: { name, project, size: 'c1', partitions: ['lab'], amount: reserved * tenth },
      });
    contenders.push({ project, network, asks: wish * tenth, reserved: reserved * tenth, gets: 3 * tenth });
  }
  return { contenders, seats: await fillRacks(stores, 11 * tenth) };
}

/** The catalogue: a size, an image, a layout, and a network to make children of. */
async function describeMachines(admin: Channel): Promise<void> {
  await createClient(adminV2.SizeService, admin).create({
    size: {
      id: 'c1',
      constraints: [
        { type: SizeConstraintType.CORES, min: 0n, max: 9999n },
        { type: SizeConstraintType.MEMORY, min: 0n, max: 2n ** 60n },
        { type: SizeConstraintType.STORAGE, min: 0n, max: 2n ** 60n },
      ],
    },
  });
  await createClient(adminV2.ImageService, admin).create({
    image: {
      id: 'debian-12.0.20260101',
      url: 'http://images/debian.tar',
      features: [ImageFeature.MACHINE],
      classification: ImageClassification.SUPPORTED,
    },
  });
  await createClient(adminV2.FilesystemService, admin).create({
    filesystemLayout: {
      id: 'tmp',
      filesystems: [{ device: 'tmpfs', format: apiV2.Format.TMPFS, path: '/tmp' }],
      constraints: { sizes: ['c1'], images: { debian: '*' } },
    },
  });
  await createClient(adminV2.NetworkService, admin).create({
    id: 'super',
    type: NetworkType.SUPER,
    partition: 'lab',
    prefixes: ['10.0.0.0/16'],
    defaultChildPrefixLength: { ipv4: 21 },
  });
}

/** Machines as their registration, their last event and their Wait stream leave them in the database. */
async function fillRacks(stores: Stores, machines: number): Promise<string[]> {
  const uuids = Array.from({ length: machines }, (_, i) => `aaaaaaaa-0000-4000-8000-${String(i).padStart(12, '0')}`);
  for (let first = 0; first < machines; first += AT_ONCE)
    await stores.transaction(async (inner) => {
      for (const [index, uuid] of uuids.slice(first, first + AT_ONCE).entries()) {
        await inner.machines.create(
          uuid,
          create(apiV2.MachineSchema, {
            uuid,
            partition: { id: 'lab' },
            size: { id: 'c1' },
            rack: `rack${Math.floor((first + index) / MACHINES_OF_A_RACK)}`,
            hardware: hardware(cableTo('eth0', 'leaf0', 'Eth1/1'), cableTo('eth1', 'leaf1', 'Eth1/1')),
            status: { condition: { state: apiV2.MachineState.AVAILABLE } },
          }),
        );
        await inner.events.add(uuid, MachineProvisioningEventType.WAITING, '');
        await inner.waiting.enter(uuid, uuid);
        for (const switchId of ['leaf0', 'leaf1'])
          await inner.ports.claim({ switchId, port: uuid, identifier: uuid, mac: undefined, machineId: uuid });
      }
    });
  return uuids;
}
