import type { MessageInitShape, infraV2 } from '@ingot/api';
import type { BmcSearch } from '../bmc/bmc.ts';
import { inventoryTags } from '../inventory-tags.ts';
import { isRented } from '../inventory/gpus.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { isRegistered } from '../inventory/nics.ts';
import type { Neighbor } from '../lldp/neighbors.ts';

export type RegisterRequest = MessageInitShape<typeof infraV2.BootServiceRegisterRequestSchema>;

export interface Findings {
  readonly uuid: string;
  readonly partition: string;
  readonly version: string;
  readonly inventory: Inventory;
  readonly neighbors: readonly Neighbor[];
  readonly bmc: BmcSearch;
}

/** Texts of the API are at most this long. */
const maxText = 256;
const maxIdentifier = 128;
const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** Findings in the shape and within the limits of `BootService.Register`. */
export function registerRequest(findings: Findings): RegisterRequest {
  const { inventory, bmc } = findings;
  const found = bmc.kind === 'found' ? bmc.bmc : undefined;
  return {
    uuid: findings.uuid,
    partition: findings.partition,
    metalHammerVersion: findings.version,
    tags: inventoryTags(inventory),
    hardware: {
      memory: BigInt(inventory.memory.sizeBytes),
      cpus: inventory.cpus.map(({ vendor, model, cores, threads }) => ({
        vendor: text(vendor),
        model: text(model),
        cores,
        threads,
      })),
      // A size that asks for no GPU must fit a machine whose only display is its BMC's.
      gpus: inventory.gpus
        .filter(({ kind }) => isRented(kind))
        .map(({ vendor, model }) => ({ vendor: text(vendor), model: text(model) })),
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
        neighbors: findings.neighbors.filter((neighbor) => neighbor.nic === nic.name).map(neighborNic),
      })),
    },
    bios: {
      vendor: text(inventory.firmware.bios.vendor),
      version: text(inventory.firmware.bios.version),
      date: text(inventory.firmware.bios.date),
    },
    ...(found && {
      bmc: {
        address: found.address,
        mac: found.mac,
        interface: found.interface,
        version: text(found.version),
        user: found.account?.user ?? '',
        password: found.account?.password.reveal() ?? '',
        powerState: found.powerState,
      },
      fru: found.fru,
    }),
  };
}

function neighborNic(neighbor: Neighbor): NonNullable<NonNullable<RegisterRequest['hardware']>['nics']>[number] {
  const mac = [neighbor.chassisId, neighbor.portId].find((id) => macPattern.test(id));
  const name = neighbor.portDescription === '' ? neighbor.portId : neighbor.portDescription;
  return {
    // lldpd does not tell the frame's source; an unknown address must still look like one.
    mac: mac?.toLowerCase() ?? '00:00:00:00:00:00',
    name: atLeastTwo(name.slice(0, maxIdentifier)),
    identifier: neighbor.portId.slice(0, maxIdentifier),
    hostname: text(neighbor.sysName),
    neighbors: [],
  };
}

const text = (value: string): string => value.slice(0, maxText);

/** Names have two characters or more; port 7 is called `p7`. */
const atLeastTwo = (name: string): string => (name.length < 2 ? `p${name}` : name);
