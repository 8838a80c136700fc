import type { MessageInitShape, apiV2 } from '@ingot/api';
import { isRented } from './inventory/gpus.ts';
import type { Inventory } from './inventory/inventory.ts';
import { isRegistered } from './inventory/nics.ts';
import type { Neighbor } from './lldp/neighbors.ts';

export type MachineHardware = MessageInitShape<typeof apiV2.MachineHardwareSchema>;

/** Texts of the API are at most this long. */
const maxText = 256;
const maxIdentifier = 128;
const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** Cut to what the API takes. */
export const apiText = (value: string): string => value.slice(0, maxText);

/** What the API stores of a machine, within its limits. The same machine gives the same message. */
export function machineHardware(inventory: Inventory, neighbors: readonly Neighbor[]): MachineHardware {
  return {
    memory: BigInt(inventory.memory.sizeBytes),
    cpus: inventory.cpus.map(({ vendor, model, cores, threads }) => ({
      vendor: apiText(vendor),
      model: apiText(model),
      cores,
      threads,
    })),
    // A size that asks for no GPU must fit a machine whose only display is its BMC's.
    gpus: inventory.gpus
      .filter(({ kind }) => isRented(kind))
      .map(({ vendor, model }) => ({ vendor: apiText(vendor), model: apiText(model) })),
    disks: inventory.disks.map(({ name, sizeBytes }) => ({
      name: name.slice(0, maxIdentifier),
      size: BigInt(sizeBytes),
    })),
    nics: inventory.nics.filter(isRegistered).map((nic) => ({
      mac: nic.mac,
      name: nic.name,
      identifier: nic.name,
      vendor: nic.vendor.slice(0, maxIdentifier),
      model: nic.model.slice(0, maxIdentifier),
      speed: BigInt(nic.speedBitsPerSecond),
      hostname: '',
      neighbors: neighbors.filter((neighbor) => neighbor.nic === nic.name).map(neighborNic),
    })),
  };
}

function neighborNic(neighbor: Neighbor): NonNullable<MachineHardware['nics']>[number] {
  const mac = [neighbor.chassisId, neighbor.portId].find((id) => macPattern.test(id));
  const name = neighbor.portDescription === '' ? neighbor.portId : neighbor.portDescription;
  return {
    // lldpd does not tell the frame's source; an unknown address must still look like one.
    mac: mac?.toLowerCase() ?? '00:00:00:00:00:00',
    name: atLeastTwo(name.slice(0, maxIdentifier)),
    identifier: neighbor.portId.slice(0, maxIdentifier),
    hostname: apiText(neighbor.sysName),
    neighbors: [],
  };
}

/** Names have two characters or more; port 7 is called `p7`. */
const atLeastTwo = (name: string): string => (name.length < 2 ? `p${name}` : name);
