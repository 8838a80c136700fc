import { ApiError, apiV2, Code } from '@ingot/api';

/**
 * Whether a machine is selected. Every field that is set must fit. Filters that this server does not know are refused:
 * an ignored filter would answer with machines that were not asked for.
 */
export function machineMatches(
  machine: apiV2.Machine,
  query: apiV2.MachineQuery | undefined,
  waiting: boolean,
): boolean {
  if (query === undefined) return true;
  refuseUnknown(query);
  const is = (wanted: string | undefined, actual: string | undefined): boolean =>
    wanted === undefined || wanted === (actual ?? '');
  return (
    is(query.uuid?.toLowerCase(), machine.uuid) &&
    is(query.name, machine.allocation?.name) &&
    is(query.partition, machine.partition?.id) &&
    is(query.size, machine.size?.id) &&
    is(query.rack, machine.rack) &&
    is(query.room, machine.room) &&
    Object.entries(query.labels?.labels ?? {}).every(([key, value]) => machine.meta?.labels?.labels[key] === value) &&
    nicsMatch(machine.hardware?.nics ?? [], query.nic) &&
    (query.state === undefined || query.state === machine.status?.condition?.state) &&
    (query.waiting === undefined || query.waiting === waiting) &&
    (query.notAllocated === undefined || query.notAllocated === (machine.allocation === undefined))
  );
}

function nicsMatch(nics: readonly apiV2.MachineNic[], query: apiV2.MachineNicQuery | undefined): boolean {
  if (query === undefined) return true;
  const neighbors = nics.flatMap((nic) => nic.neighbors);
  const all = (wanted: readonly string[], actual: readonly string[]): boolean => {
    const lower = new Set(actual.map((text) => text.toLowerCase()));
    return wanted.every((text) => lower.has(text.toLowerCase()));
  };
  return (
    all(
      query.macs,
      nics.map((nic) => nic.mac),
    ) &&
    all(
      query.names,
      nics.map((nic) => nic.name),
    ) &&
    all(
      query.neighborMacs,
      neighbors.map((nic) => nic.mac),
    ) &&
    all(
      query.neighborNames,
      neighbors.map((nic) => nic.name),
    )
  );
}

function refuseUnknown(query: apiV2.MachineQuery): void {
  const unknown = Object.entries({
    allocation: query.allocation,
    network: query.network,
    disk: query.disk,
    bmc: query.bmc,
    fru: query.fru,
    hardware: query.hardware,
    preallocated: query.preallocated,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (unknown.length > 0) {
    throw new ApiError(Code.Unimplemented, `this server cannot select machines by ${unknown.join(', ')} yet`);
  }
}
