import { ApiError, apiV2, Code, create, enumText, timestampFromMs } from '@ingot/api';
import type { Clock, Entropy } from '@ingot/net';
import { uuidV7 } from '../auth/uuid-v7.ts';
import { checkDisksFit, findLayout } from '../image/filesystem-layout.ts';
import { findImage, isExpired } from '../image/find-image.ts';
import { checkSizeAllowsImage } from '../image/image-constraint.ts';
import { AllocationLabel, refuseReserved } from '../machine/labels.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import { Pool } from '../store/number-pools.ts';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';
import { inventoryOf, neighboursOf, reasonsAgainst, unavailableOf } from './candidates.ts';
import { joinNetworks } from './join-networks.ts';
import { balance, mayTake, reservedIn, type Reserved } from './reservations.ts';
import { pickSpread } from './spread.ts';

const { ImageFeature, MachineAllocationType: Role } = apiV2;

export interface AllocationContext {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Whose token asks, for the record. */
  readonly user: string;
}

/** The first of the private 32-bit AS numbers (RFC 6996) that metal-stack takes. */
const FIRST_ASN = 4_210_000_000;

/**
 * Gives a machine to a project: the one that is named, or the best of those that are free, by reservations and by
 * spreading over racks. To be called within a transaction that is serialised by `IPAM`: either all of machine, addresses
 * and AS number is taken, or nothing. Throws `InvalidArgument`, `NotFound`, `FailedPrecondition`, `ResourceExhausted`, each
 * with what to do.
 */
export async function allocateMachine(
  stores: Stores,
  request: apiV2.MachineServiceCreateRequest,
  context: AllocationContext,
): Promise<Stored<apiV2.Machine>> {
  const { clock, entropy } = context;
  await stores.projects.need(request.project);
  const role = roleOf(request);
  const image = await imageFor(stores, request.image, role, clock.now());
  const machine =
    request.uuid === undefined
      ? await choose(stores, request, role, context)
      : await named(stores, request.uuid, request, clock);
  const partition = machine.value.partition?.id ?? '';
  const size = machine.value.size?.id ?? '';
  checkSizeAllowsImage((await stores.sizeImageConstraints.get(size))?.value, image.id);
  const layout = await layoutFor(stores, request.filesystemLayout, size, image.id);
  checkDisksFit(layout, machine.value.hardware?.disks ?? []);

  const asn = FIRST_ASN + (await stores.numbers.take(Pool.Asn, machine.id));
  const networks = await joinNetworks(stores, {
    machine: machine.id,
    partition,
    project: request.project,
    role,
    wanted: request.networks,
    asn,
    newUuid: () => uuidV7(clock.now(), entropy),
  });
  const { dnsServers, ntpServers } = (await stores.partitions.need(partition)).value;
  const now = timestampFromMs(clock.now());
  const { rack } = machine.value;
  const chassis = (await stores.bmcs.get(machine.id))?.fru?.chassisPartSerial ?? '';
  const labels = {
    ...request.labels?.labels,
    ...(rack === '' ? {} : { [AllocationLabel.Rack]: rack }),
    ...(chassis === '' ? {} : { [AllocationLabel.Chassis]: chassis }),
    [AllocationLabel.PrimaryAsn]: String(asn),
  };
  return stores.machines.edit(machine.id, (value) => {
    value.allocation = create(apiV2.MachineAllocationSchema, {
      uuid: uuidV7(clock.now(), entropy),
      // Beside the machine's own, and gone with the allocation.
      meta: { createdAt: now, updatedAt: now, generation: 1n, labels: { labels } },
      name: request.name,
      description: request.description ?? '',
      createdBy: context.user,
      project: request.project,
      image,
      filesystemLayout: layout,
      networks,
      hostname: request.hostname ?? 'metal',
      sshPublicKeys: request.sshPublicKeys,
      userdata: request.userdata ?? '',
      allocationType: role,
      ...(request.firewallSpec?.firewallRules === undefined
        ? {}
        : { firewallRules: request.firewallSpec.firewallRules }),
      dnsServers: request.dnsServers.length > 0 ? request.dnsServers : dnsServers,
      ntpServers: request.ntpServers.length > 0 ? request.ntpServers : ntpServers,
      ...(request.placementLabels === undefined ? {} : { placementLabels: request.placementLabels }),
    });
  });
}

function roleOf({
  allocationType,
  firewallSpec,
  labels,
}: apiV2.MachineServiceCreateRequest): apiV2.MachineAllocationType {
  const role = allocationType === Role.UNSPECIFIED ? Role.MACHINE : allocationType;
  if (role === Role.MACHINE && firewallSpec !== undefined)
    throw new ApiError(Code.InvalidArgument, 'firewall_spec is for firewalls: set allocation_type, or leave it out');
  refuseReserved(Object.keys(labels?.labels ?? {}));
  return role;
}

async function imageFor(
  stores: Stores,
  id: string,
  role: apiV2.MachineAllocationType,
  now: number,
): Promise<apiV2.Image> {
  const image = findImage(
    (await stores.images.list()).map(({ value }) => value),
    id,
    now,
  );
  const needed = role === Role.FIREWALL ? ImageFeature.FIREWALL : ImageFeature.MACHINE;
  if (!image.features.includes(needed)) {
    const has = image.features.map((feature) => enumText(apiV2.ImageFeatureSchema, feature)).join(', ');
    throw new ApiError(
      Code.InvalidArgument,
      `image "${image.id}" is for ${has}, not for a ${enumText(apiV2.MachineAllocationTypeSchema, role)}`,
    );
  }
  if (isExpired(image, now))
    throw new ApiError(Code.FailedPrecondition, `image "${image.id}" has expired: take a newer one`);
  return image;
}

async function layoutFor(
  stores: Stores,
  id: string | undefined,
  size: string,
  image: string,
): Promise<apiV2.FilesystemLayout> {
  if (id !== undefined) return (await stores.filesystemLayouts.need(id)).value;
  return findLayout(
    (await stores.filesystemLayouts.list()).map(({ value }) => value),
    size,
    image,
  );
}

async function named(
  stores: Stores,
  uuid: string,
  request: apiV2.MachineServiceCreateRequest,
  clock: Clock,
): Promise<Stored<apiV2.Machine>> {
  const machine = await stores.machines.need(machineIdOf(uuid));
  const { allocation, partition, size } = machine.value;
  const against = (await reasonsAgainst(stores, clock, [machine.id])).get(machine.id);
  const problem =
    allocation !== undefined
      ? `is allocated as "${allocation.name}" already`
      : request.partition !== undefined && request.partition !== partition?.id
        ? `is in partition "${partition?.id ?? ''}", not in "${request.partition}"`
        : request.size !== undefined && request.size !== size?.id
          ? `is of size "${size?.id ?? ''}", not of "${request.size}"`
          : against === undefined
            ? undefined
            : `is ${against}`;
  if (problem !== undefined) throw new ApiError(Code.FailedPrecondition, `machine ${machine.id} ${problem}`);
  await keepPromises(stores, machine.value, request.project, clock);
  return machine;
}

/** An administrator who names a machine sees no reservations, so they count here, too. */
async function keepPromises(stores: Stores, machine: apiV2.Machine, project: string, clock: Clock): Promise<void> {
  const [partition, size] = [machine.partition?.id ?? '', machine.size?.id ?? ''];
  const reserved = await reservedFor(stores, partition, size);
  const { available, allocated } = await inventoryOf(stores, clock, partition, size);
  if (mayTake(available.length, reserved, allocated, project)) return;
  const { keptForOthers } = balance(reserved, allocated, project);
  throw new ApiError(
    Code.FailedPrecondition,
    `machine ${machine.uuid} is kept for others: of ${available.length} free machines of size "${size}" in partition ` +
      `"${partition}" ${keptForOthers} are reserved for other projects; change a reservation first`,
  );
}

async function choose(
  stores: Stores,
  { project, partition, size, placementLabels }: apiV2.MachineServiceCreateRequest,
  role: apiV2.MachineAllocationType,
  { clock, entropy }: AllocationContext,
): Promise<Stored<apiV2.Machine>> {
  if (partition === undefined || size === undefined)
    throw new ApiError(Code.InvalidArgument, 'give partition and size, or the uuid of a machine');
  await stores.partitions.need(partition);
  await stores.sizes.need(size);
  const { available, allocated } = await inventoryOf(stores, clock, partition, size);
  const reserved = await reservedFor(stores, partition, size);
  const neighbours = await neighboursOf(stores, project, role, partition, size);
  const labels = new Map(Object.entries(placementLabels?.labels ?? {}));
  const picked = mayTake(available.length, reserved, allocated, project)
    ? pickSpread(available, neighbours, labels, entropy)
    : undefined;
  if (picked !== undefined) return stores.machines.need(picked.id);
  const { keptForOthers } = balance(reserved, allocated, project);
  const others = [...(await unavailableOf(stores, clock, partition, size))].map(
    ([reason, many]) => `${many} ${reason}`,
  );
  const taken = [...allocated.values()].reduce((sum, many) => sum + many, 0);
  const parts = [`${available.length} free`, `${taken} allocated`, ...others];
  const why =
    keptForOthers > 0 && available.length > 0
      ? `; ${keptForOthers} of the free ones are reserved for other projects`
      : '';
  throw new ApiError(
    Code.ResourceExhausted,
    `no machine of size "${size}" is left in partition "${partition}": ${parts.join(', ')}${why}`,
  );
}

async function reservedFor(stores: Stores, partition: string, size: string): Promise<Reserved[]> {
  const reservations = (await stores.sizeReservations.list({ size })).map(({ value }) => value);
  return reservedIn(reservations, partition, size);
}
