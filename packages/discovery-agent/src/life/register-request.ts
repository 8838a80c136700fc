import type { MessageInitShape, infraV2 } from '@ingot/api';
import type { BmcSearch } from '../bmc/bmc.ts';
import { inventoryTags, maxTags } from '../inventory-tags.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Neighbor } from '../lldp/neighbors.ts';
import { apiText as text, machineHardware } from '../machine-hardware.ts';

export type RegisterRequest = MessageInitShape<typeof infraV2.BootServiceRegisterRequestSchema>;

export interface Findings {
  readonly uuid: string;
  readonly partition: string;
  readonly version: string;
  readonly inventory: Inventory;
  readonly neighbors: readonly Neighbor[];
  readonly bmc: BmcSearch;
}

/** Findings in the shape and within the limits of `BootService.Register`; `tags` come before those of the inventory. */
export function registerRequest(findings: Findings, tags: readonly string[] = []): RegisterRequest {
  const { inventory, bmc } = findings;
  const found = bmc.kind === 'found' ? bmc.bmc : undefined;
  return {
    uuid: findings.uuid,
    partition: findings.partition,
    metalHammerVersion: findings.version,
    tags: [...tags, ...inventoryTags(inventory)].slice(0, maxTags),
    hardware: machineHardware(inventory, findings.neighbors),
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
