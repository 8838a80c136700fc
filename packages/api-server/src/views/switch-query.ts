import type { apiV2 } from '@ingot/api';

/** Whether a switch is selected: every field that is set must fit. */
export function switchMatches(one: apiV2.Switch, query: apiV2.SwitchQuery | undefined): boolean {
  if (query === undefined) return true;
  const machine = query.connectedMachineId?.toLowerCase();
  return (
    (query.id === undefined || one.id === query.id) &&
    (query.partition === undefined || one.partition === query.partition) &&
    (query.rack === undefined || one.rack === query.rack) &&
    (query.room === undefined || one.room === query.room) &&
    (query.os?.vendor === undefined || one.os?.vendor === query.os.vendor) &&
    (query.os?.version === undefined || one.os?.version === query.os.version) &&
    (machine === undefined || one.machineConnections.some((connection) => connection.machineId === machine))
  );
}
