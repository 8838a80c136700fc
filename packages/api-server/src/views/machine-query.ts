import { ApiError, apiV2, Code } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { shownLabels } from '../machine/labels.ts';
import { machineIdOf } from '../machine/machine-records.ts';
import type { Filter, Stored } from '../store/entity-table.ts';
import type { MachineColumn, Stores } from '../store/stores.ts';
import { machineViews } from './machine-view.ts';
import type { LongReads } from './long-reads.ts';
import { matchesBmc, matchesDisks, matchesFru, matchesHardware, matchesNics } from './device-queries.ts';

/** Where to look: among the machines of a partition, of a project, or these; and for how long. */
export interface MachineScope {
  readonly longReads: LongReads;
  readonly signal?: AbortSignal;
  readonly partition?: string | undefined;
  readonly project?: string | undefined;
  readonly ids?: ReadonlySet<string>;
}

/**
 * The machines that a query selects, as clients see them, ordered by ID, a few at a time with a turn for others in between:
 * every field that is set must fit. Bodies are read only of those that by their columns may fit. Throws `Unimplemented`
 * for a filter that this server does not know: ignored, it would answer with machines that were not asked for.
 */
export async function* machinesOf(
  stores: Stores,
  clock: Clock,
  query: apiV2.MachineQuery | undefined,
  scope: MachineScope,
): AsyncGenerator<apiV2.Machine[]> {
  const partitions = new Map((await stores.partitions.list()).map((partition) => [partition.id, partition]));
  for await (const found of selected(stores, query, scope)) yield machineViews(stores, clock, found, partitions);
}

/** The IDs of those that `machinesOf` finds. */
export async function machineIdsOf(
  stores: Stores,
  query: apiV2.MachineQuery | undefined,
  scope: MachineScope,
): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const found of selected(stores, query, scope)) for (const { id } of found) ids.add(id);
  return ids;
}

/** So many machines take some ten megabytes, and a tenth of a second. */
const MANY = 500;

async function* selected(
  stores: Stores,
  query: apiV2.MachineQuery | undefined,
  scope: MachineScope,
): AsyncGenerator<Stored<apiV2.Machine>[]> {
  if (query?.allocation?.vpn !== undefined)
    throw new ApiError(Code.Unimplemented, 'this server runs no VPN, so it cannot select machines by allocation.vpn');
  let ids = await stores.machines.ids(columnsOf(query, scope));
  const among = scope.ids;
  if (among !== undefined) ids = ids.filter((id) => among.has(id));
  if (query?.waiting !== undefined) {
    const waiting = await stores.waiting.all();
    ids = ids.filter((id) => waiting.has(id) === query.waiting);
  }
  using reading = new DisposableStack();
  if (ids.length > MANY) reading.use(await scope.longReads.enter(scope.signal));
  for await (const some of stores.machines.some(ids)) {
    scope.signal?.throwIfAborted();
    const found = query === undefined ? some : some.filter(({ value }) => matches(value, query));
    if (query?.bmc === undefined && query?.fru === undefined) yield found;
    else {
      const reports = await stores.bmcs.getMany(found.map(({ id }) => id));
      yield found.filter(({ id }) => {
        const report = reports.get(id);
        return matchesBmc(report?.bmc, query.bmc) && matchesFru(report?.fru, query.fru);
      });
    }
  }
}

/** What columns say of a query: machines that do not fit may be left, and none that does is left out. */
function columnsOf(query: apiV2.MachineQuery | undefined, scope: MachineScope): Filter<MachineColumn | 'id'> {
  const { allocation, notAllocated } = query ?? {};
  const isAllocated = allocation !== undefined || notAllocated === false;
  const holder = isAllocated ? { not: '' } : notAllocated === true ? '' : undefined;
  return {
    id: query?.uuid === undefined ? undefined : machineIdOf(query.uuid),
    partition: scope.partition ?? query?.partition,
    size: query?.size,
    rack: query?.rack,
    state: query?.state,
    project: scope.project ?? allocation?.project?.toLowerCase() ?? holder,
    role: allocation?.allocationType,
  };
}

function matches(machine: apiV2.Machine, query: apiV2.MachineQuery): boolean {
  const { allocation } = machine;
  const is = (wanted: string | undefined, actual: string | undefined): boolean =>
    wanted === undefined || wanted === (actual ?? '');
  return (
    is(query.uuid?.toLowerCase(), machine.uuid) &&
    is(query.name, allocation?.name) &&
    is(query.partition, machine.partition?.id) &&
    is(query.size, machine.size?.id) &&
    is(query.rack, machine.rack) &&
    is(query.room, machine.room) &&
    hasLabels(shownLabels(machine), query.labels) &&
    matchesAllocation(allocation, query.allocation) &&
    matchesNetworks(allocation?.networks ?? [], query.network) &&
    matchesNics(machine.hardware?.nics ?? [], query.nic) &&
    matchesDisks(machine.hardware?.disks ?? [], query.disk) &&
    matchesHardware(machine.hardware, query.hardware) &&
    (query.state === undefined || query.state === machine.status?.condition?.state) &&
    // An allocation is made in one step here: no machine is picked for one that is not finished.
    query.preallocated !== true &&
    (query.notAllocated === undefined || query.notAllocated === (allocation === undefined))
  );
}

function hasLabels(actual: apiV2.Labels | undefined, wanted: apiV2.Labels | undefined): boolean {
  return Object.entries(wanted?.labels ?? {}).every(([key, value]) => actual?.labels[key] === value);
}

function matchesAllocation(
  allocation: apiV2.MachineAllocation | undefined,
  query: apiV2.MachineAllocationQuery | undefined,
): boolean {
  if (query === undefined) return true;
  if (allocation === undefined) return false;
  const is = <T>(wanted: T | undefined, actual: T | undefined): boolean => wanted === undefined || wanted === actual;
  return (
    is(query.uuid?.toLowerCase(), allocation.uuid) &&
    is(query.name, allocation.name) &&
    is(query.project?.toLowerCase(), allocation.project) &&
    is(query.image, allocation.image?.id) &&
    is(query.filesystemLayout, allocation.filesystemLayout?.id) &&
    is(query.hostname, allocation.hostname) &&
    is(query.allocationType, allocation.allocationType) &&
    hasLabels(allocation.meta?.labels, query.labels)
  );
}

/** Everything that is named has to be in some network of the machine. */
function matchesNetworks(
  networks: readonly apiV2.MachineNetwork[],
  query: apiV2.MachineNetworkQuery | undefined,
): boolean {
  if (query === undefined) return true;
  const all = <T>(wanted: readonly T[], actual: (network: apiV2.MachineNetwork) => readonly T[]): boolean => {
    const some = new Set(networks.flatMap(actual));
    return wanted.every((one) => some.has(one));
  };
  return (
    all(query.networks, ({ network }) => [network]) &&
    all(query.prefixes, ({ prefixes }) => prefixes) &&
    all(query.destinationPrefixes, ({ destinationPrefixes }) => destinationPrefixes) &&
    all(query.ips, ({ ips }) => ips) &&
    all(query.vrfs, ({ vrf }) => [vrf]) &&
    all(query.asns, ({ asn }) => [asn])
  );
}
