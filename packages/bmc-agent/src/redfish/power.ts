import { z } from 'zod';
import { MAX_SUPPLIES, printable, untold, type PowerMetric, type PowerSupply } from '../facts.ts';
import type { Chassis } from './chassis.ts';
import { link } from './link.ts';
import type { RedfishCall } from './redfish-session.ts';
import { membersOf, parse } from './resources.ts';

const supply = z.object({
  Status: z.object({ Health: z.string().nullish(), State: z.string().nullish() }).nullish(),
});
const watts = z.number().finite().min(0).nullish();
const metrics = z.object({
  AverageConsumedWatts: watts,
  IntervalInMin: watts,
  MaxConsumedWatts: watts,
  MinConsumedWatts: watts,
});
/** Deprecated since Power 1.7, and what nearly all BMCs have. */
const power = z.object({
  PowerControl: z.array(z.object({ PowerMetrics: metrics.nullish() })).nullish(),
  PowerSupplies: z.array(supply).nullish(),
});
const subsystem = z.object({ PowerSupplies: link.nullish() });

/** What the machine draws; rejects with a BmcError when its BMC does not say. */
export async function powerMetricOf(call: RedfishCall, chassis: Chassis | undefined): Promise<PowerMetric> {
  const found = await powerOf(call, chassis);
  const measured = found?.PowerControl?.find(
    ({ PowerMetrics: each }) => typeof each?.AverageConsumedWatts === 'number',
  );
  const {
    AverageConsumedWatts: average,
    IntervalInMin,
    MaxConsumedWatts,
    MinConsumedWatts,
  } = measured?.PowerMetrics ?? {};
  if (typeof average !== 'number') throw untold('the BMC does not measure what the machine draws');
  return {
    averageConsumedWatts: average,
    intervalInMin: IntervalInMin ?? 0,
    maxConsumedWatts: MaxConsumedWatts ?? average,
    minConsumedWatts: MinConsumedWatts ?? average,
  };
}

/** The power supplies; rejects with a BmcError when the BMC does not tell of any. */
export async function powerSuppliesOf(
  call: RedfishCall,
  chassis: Chassis | undefined,
): Promise<readonly PowerSupply[]> {
  let found = (await powerOf(call, chassis))?.PowerSupplies ?? [];
  const newer = chassis?.value.PowerSubsystem?.['@odata.id'];
  if (found.length === 0 && newer !== undefined) {
    const list = parse(subsystem, await call('GET', newer), 'power subsystem').PowerSupplies?.['@odata.id'];
    const members = list === undefined ? [] : await membersOf(call, list, 'list of power supplies');
    found = [];
    for (const member of members.slice(0, MAX_SUPPLIES))
      found.push(parse(supply, await call('GET', member), 'power supply'));
  }
  if (found.length === 0) throw untold('the BMC does not tell of power supplies');
  return found
    .slice(0, MAX_SUPPLIES)
    .map(({ Status: status }) => ({ health: printable(status?.Health ?? ''), state: printable(status?.State ?? '') }));
}

async function powerOf(call: RedfishCall, chassis: Chassis | undefined): Promise<z.infer<typeof power> | undefined> {
  const path = chassis?.value.Power?.['@odata.id'];
  return path === undefined ? undefined : parse(power, await call('GET', path), 'power');
}
