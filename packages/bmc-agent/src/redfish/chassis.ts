import { z } from 'zod';
import type { ComputerSystem } from './computer-system.ts';
import { link } from './link.ts';
import type { RedfishCall } from './redfish-session.ts';
import { membersOf, parse } from './resources.ts';

type Text = string | null | undefined;
type Link = { readonly '@odata.id': string } | null | undefined;

/** The properties of a chassis that the worker looks at. */
export interface ChassisProperties {
  readonly PartNumber?: Text;
  readonly SerialNumber?: Text;
  readonly LocationIndicatorActive?: boolean | null | undefined;
  readonly IndicatorLED?: Text;
  readonly Power?: Link;
  readonly PowerSubsystem?: Link;
  readonly Assembly?: Link;
}

/** The box of a machine as its BMC describes it (DSP0268, Chassis). */
export interface Chassis {
  readonly path: string;
  readonly etag: string | undefined;
  readonly value: ChassisProperties;
}

const chassis: z.ZodType<ChassisProperties> = z.object({
  PartNumber: z.string().nullish(),
  SerialNumber: z.string().nullish(),
  LocationIndicatorActive: z.boolean().nullish(),
  IndicatorLED: z.string().nullish(),
  Power: link.nullish(),
  PowerSubsystem: link.nullish(),
  Assembly: link.nullish(),
});
const root = z.object({ Chassis: link.nullish() });

/** The chassis that the system is in, or the only one; undefined: the BMC does not say. */
export async function findChassis(call: RedfishCall, system: ComputerSystem): Promise<Chassis | undefined> {
  let path = system.value.Links?.Chassis?.[0]?.['@odata.id'];
  if (path === undefined) {
    const all = parse(root, await call('GET', '/redfish/v1/'), 'service root').Chassis;
    const members = all ? await membersOf(call, all['@odata.id'], 'list of chassis') : [];
    if (members.length === 1) path = members[0];
  }
  if (path === undefined) return undefined;
  const answer = await call('GET', path);
  return { path, etag: answer.etag, value: parse(chassis, answer, 'chassis') };
}
