import { apiV2, clone, create } from '@ingot/api';
import type { Stores } from '../store/stores.ts';

/** What is known of a machine's management controller; its password only for who may use it. Undefined: nothing. */
export async function bmcDetails(
  stores: Stores,
  machine: apiV2.Machine,
  showsPassword: boolean,
): Promise<apiV2.MachineBMCDetails | undefined> {
  const report = await stores.bmcs.get(machine.uuid);
  return report === undefined ? undefined : bmcDetailsOf(machine, report, showsPassword);
}

/** `bmcDetails` of a report. */
export function bmcDetailsOf(
  machine: apiV2.Machine,
  report: apiV2.MachineBMCReport,
  showsPassword: boolean,
): apiV2.MachineBMCDetails {
  return create(apiV2.MachineBMCDetailsSchema, {
    uuid: machine.uuid,
    partition: machine.partition?.id ?? '',
    rack: machine.rack,
    room: machine.room,
    size: machine.size?.id ?? '',
    bmcReport: showsPassword ? report : withoutPassword(report),
  });
}

function withoutPassword(report: apiV2.MachineBMCReport): apiV2.MachineBMCReport {
  const redacted = clone(apiV2.MachineBMCReportSchema, report);
  if (redacted.bmc !== undefined) redacted.bmc.password = '';
  return redacted;
}
