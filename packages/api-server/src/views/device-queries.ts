import type { apiV2 } from '@ingot/api';

/** Names and addresses are the same in either case; everything that is wanted has to be there. */
function all(wanted: readonly string[], actual: readonly string[]): boolean {
  const lower = new Set(actual.map((text) => text.toLowerCase()));
  return wanted.every((text) => lower.has(text.toLowerCase()));
}

export function matchesNics(nics: readonly apiV2.MachineNic[], query: apiV2.MachineNicQuery | undefined): boolean {
  if (query === undefined) return true;
  const neighbors = nics.flatMap((nic) => nic.neighbors);
  const macs = (of: readonly apiV2.MachineNic[]): string[] => of.map(({ mac }) => mac);
  const names = (of: readonly apiV2.MachineNic[]): string[] => of.map(({ name }) => name);
  return (
    all(query.macs, macs(nics)) &&
    all(query.names, names(nics)) &&
    all(query.neighborMacs, macs(neighbors)) &&
    all(query.neighborNames, names(neighbors))
  );
}

export function matchesDisks(
  disks: readonly apiV2.MachineBlockDevice[],
  query: apiV2.MachineDiskQuery | undefined,
): boolean {
  if (query === undefined) return true;
  const sizes = new Set(disks.map(({ size }) => size));
  const names = disks.map(({ name }) => name);
  return all(query.names, names) && query.sizes.every((size) => sizes.has(size));
}

/** Cores are those of all processors together. */
export function matchesHardware(
  hardware: apiV2.MachineHardware | undefined,
  query: apiV2.MachineHardwareQuery | undefined,
): boolean {
  if (query === undefined) return true;
  const cores = (hardware?.cpus ?? []).reduce((sum, cpu) => sum + cpu.cores, 0);
  return (
    (query.memory === undefined || query.memory === (hardware?.memory ?? 0n)) &&
    (query.cpuCores === undefined || query.cpuCores === cores)
  );
}

/** An address may be given with its port or without. */
export function matchesBmc(bmc: apiV2.MachineBMC | undefined, query: apiV2.MachineBMCQuery | undefined): boolean {
  if (query === undefined) return true;
  const address = bmc?.address ?? '';
  return (
    (query.address === undefined || query.address === address || query.address === address.replace(/:\d+$/, '')) &&
    (query.mac === undefined || query.mac.toLowerCase() === bmc?.mac.toLowerCase()) &&
    (query.user === undefined || query.user === bmc?.user) &&
    (query.interface === undefined || query.interface === bmc?.interface)
  );
}

export function matchesFru(fru: apiV2.MachineFRU | undefined, query: apiV2.MachineFRUQuery | undefined): boolean {
  if (query === undefined) return true;
  const is = (wanted: string | undefined, actual: string | undefined): boolean =>
    wanted === undefined || wanted === actual;
  return (
    is(query.chassisPartNumber, fru?.chassisPartNumber) &&
    is(query.chassisPartSerial, fru?.chassisPartSerial) &&
    is(query.boardMfg, fru?.boardMfg) &&
    is(query.boardSerial, fru?.boardMfgSerial) &&
    is(query.boardPartNumber, fru?.boardPartNumber) &&
    is(query.productManufacturer, fru?.productManufacturer) &&
    is(query.productPartNumber, fru?.productPartNumber) &&
    is(query.productSerial, fru?.productSerial)
  );
}
