import { z } from 'zod';
import { BmcError, BmcErrorCode } from '../errors.ts';
import { link, path } from './link.ts';
import type { RedfishCall } from './redfish-session.ts';
import { membersOf, parse } from './resources.ts';

/** How a system is switched on and off. */
export interface ResetAction {
  readonly target: string;
  readonly 'ResetType@Redfish.AllowableValues'?: readonly string[] | null | undefined;
  readonly '@Redfish.ActionInfo'?: string | null | undefined;
}

/** The properties of a system that the worker looks at; BMCs leave out what they please. */
export interface SystemProperties {
  readonly UUID?: string | null | undefined;
  readonly PowerState?: string | null | undefined;
  readonly LocationIndicatorActive?: boolean | null | undefined;
  readonly IndicatorLED?: string | null | undefined;
  readonly BiosVersion?: string | null | undefined;
  readonly Manufacturer?: string | null | undefined;
  readonly PartNumber?: string | null | undefined;
  readonly SerialNumber?: string | null | undefined;
  readonly Links?:
    | {
        readonly Chassis?: readonly { readonly '@odata.id': string }[] | null | undefined;
        readonly ManagedBy?: readonly { readonly '@odata.id': string }[] | null | undefined;
      }
    | null
    | undefined;
  readonly Boot?:
    | {
        readonly BootSourceOverrideMode?: string | null | undefined;
        readonly 'BootSourceOverrideTarget@Redfish.AllowableValues'?: readonly string[] | null | undefined;
      }
    | null
    | undefined;
  readonly Actions?: { readonly '#ComputerSystem.Reset'?: ResetAction | null | undefined } | null | undefined;
}

const system: z.ZodType<SystemProperties> = z.object({
  UUID: z.string().nullish(),
  PowerState: z.string().nullish(),
  LocationIndicatorActive: z.boolean().nullish(),
  IndicatorLED: z.string().nullish(),
  BiosVersion: z.string().nullish(),
  Manufacturer: z.string().nullish(),
  PartNumber: z.string().nullish(),
  SerialNumber: z.string().nullish(),
  Links: z.object({ Chassis: z.array(link).nullish(), ManagedBy: z.array(link).nullish() }).nullish(),
  Boot: z
    .object({
      BootSourceOverrideMode: z.string().nullish(),
      'BootSourceOverrideTarget@Redfish.AllowableValues': z.array(z.string()).nullish(),
    })
    .nullish(),
  Actions: z
    .object({
      '#ComputerSystem.Reset': z
        .object({
          target: path,
          'ResetType@Redfish.AllowableValues': z.array(z.string()).nullish(),
          '@Redfish.ActionInfo': path.nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const root = z.object({ Systems: link });
const actionInfo = z.object({
  Parameters: z.array(z.object({ Name: z.string(), AllowableValues: z.array(z.string()).nullish() })),
});

/** The machine as its BMC describes it (DSP0266, ComputerSystem). */
export interface ComputerSystem {
  readonly path: string;
  readonly etag: string | undefined;
  readonly value: SystemProperties;
}

/**
 * Finds the machine among the systems of the BMC: the only one, or the one with its UUID; without one, the only one that
 * says its own. Rejects with BmcError `BMC_ANSWER` when there is none.
 */
export async function findSystem(call: RedfishCall, machine: string | undefined): Promise<ComputerSystem> {
  const { Systems } = parse(root, await call('GET', '/redfish/v1/'), 'service root');
  const members = await membersOf(call, Systems['@odata.id'], 'list of systems');
  for (const member of members) {
    const found = await readSystem(call, member);
    if (members.length === 1 || (machine !== undefined && found.value.UUID?.toLowerCase() === machine.toLowerCase()))
      return found;
  }
  const wanted = machine === undefined ? 'which of them is meant cannot be told' : `none with the UUID ${machine}`;
  throw new BmcError(
    BmcErrorCode.Answer,
    `the BMC has ${members.length} systems, and ${wanted}: report the machine with its own BMC`,
  );
}

/** Reads a system anew. */
export async function readSystem(call: RedfishCall, member: string): Promise<ComputerSystem> {
  const answer = await call('GET', member);
  return { path: member, etag: answer.etag, value: parse(system, answer, 'system') };
}

/** Which resets the system knows; undefined when the BMC does not say. */
export async function allowedResets(call: RedfishCall, reset: ResetAction): Promise<readonly string[] | undefined> {
  const listed = reset['ResetType@Redfish.AllowableValues'];
  if (listed) return listed;
  const info = reset['@Redfish.ActionInfo'];
  if (!info) return undefined;
  const { Parameters } = parse(actionInfo, await call('GET', info), 'description of the reset');
  return Parameters.find(({ Name }) => Name === 'ResetType')?.AllowableValues ?? undefined;
}
