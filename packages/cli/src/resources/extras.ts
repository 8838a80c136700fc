import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { addMembershipCommands } from '../tenancy/commands.ts';
import { addNewTenantCommand } from '../tenancy/new-tenant.ts';
import { PROJECTS, TENANTS } from '../tenancy/memberships.ts';
import { addImageExtras } from './image-extras.ts';
import { addIpExtras, addNetworkExtras } from './network-extras.ts';
import { addCapacityCommand } from './capacity.ts';
import { addLayoutMatchCommand, addTryCommand } from './trials.ts';
import { addSizeAdvice } from './size-advice.ts';

/** What only some kinds can do. */
const EXTRAS: Readonly<Record<string, (command: Command, io: CliIo) => void>> = {
  tenant: (command, io) => {
    addNewTenantCommand(command, io);
    addMembershipCommands(command, io, TENANTS);
  },
  project: (command, io) => addMembershipCommands(command, io, PROJECTS),
  partition: addCapacityCommand,
  size: addSizeAdvice,
  image: addImageExtras,
  'size-image-constraint': addTryCommand,
  'filesystem-layout': addLayoutMatchCommand,
  network: addNetworkExtras,
  ip: addIpExtras,
};

export function addResourceExtras(command: Command, io: CliIo, kind: string): void {
  EXTRAS[kind]?.(command, io);
}
