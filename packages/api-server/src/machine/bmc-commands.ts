import { ApiError, apiV2, Code, enumText } from '@ingot/api';
import type { Stored } from '../store/entity-table.ts';
import type { Stores } from '../store/stores.ts';

const { MachineBMCCommand: Command } = apiV2;

/** What takes the running system away: the machine says so in its events, since nobody else will. */
const REBOOTS: ReadonlySet<apiV2.MachineBMCCommand> = new Set([
  Command.MACHINE_BMC_COMMAND_OFF,
  Command.MACHINE_BMC_COMMAND_RESET,
  Command.MACHINE_BMC_COMMAND_CYCLE,
]);

/**
 * Orders something of a machine's management controller. It is done by whoever waits for the commands of the partition;
 * the order is stored first. Throws `InvalidArgument` without a command.
 */
export async function orderBmcCommand(
  stores: Stores,
  machine: Stored<apiV2.Machine>,
  command: apiV2.MachineBMCCommand,
  newId: () => string,
): Promise<string> {
  if (command === Command.MACHINE_BMC_COMMAND_UNSPECIFIED)
    throw new ApiError(Code.InvalidArgument, 'command is missing');
  const id = newId();
  await stores.bmcCommands.add(id, machine.id, machine.value.partition?.id ?? '', command);
  if (REBOOTS.has(command))
    await stores.events.add(
      machine.id,
      apiV2.MachineProvisioningEventType.PLANNED_REBOOT,
      `power ${enumText(apiV2.MachineBMCCommandSchema, command)} was ordered`,
    );
  return id;
}
