import { ApiError, apiV2, Code } from '@ingot/api';
import type { Stores } from '../store/stores.ts';
import { matchesBmc, matchesDisks, matchesFru, matchesHardware, matchesNics } from './device-queries.ts';

/**
 * The machines that a query selects: every field that is set must fit. What the query asks of controllers and waiting is
 * read only if it does. Throws `Unimplemented` for a filter that this server does not know: ignored, it would answer with
 * machines that were not asked for.
 */
export async function selectMachines(
  stores: Stores,
  machines: readonly apiV2.Machine[],
  query: apiV2.MachineQuery | undefined,
): Promise<apiV2.Machine[]> {
  if (query === undefined) return [...machines];
  if (query.allocation?.vpn !== undefined)
    throw new ApiError(Code.Unimplemented, 'this server runs no VPN, so it cannot select machines by allocation.vpn');
  const found = machines.filter((machine) => matches(machine, query));
  const waiting = query.waiting === undefined ? undefined : await stores.waiting.all();
  const selected: apiV2.Machine[] = [];
  for (const machine of found) {
    if (waiting !== undefined && waiting.has(machine.uuid) !== query.waiting) continue;
    if (query.bmc !== undefined || query.fru !== undefined) {
      const report = await stores.bmcs.get(machine.uuid);
      if (!matchesBmc(report?.bmc, query.bmc) || !matchesFru(report?.fru, query.fru)) continue;
    }
    selected.push(machine);
  }
  return selected;
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
    hasLabels(machine.meta?.labels, query.labels) &&
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
