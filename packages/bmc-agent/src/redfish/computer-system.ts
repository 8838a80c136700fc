import { z } from 'zod';
import { BmcError, BmcErrorCode } from '../errors.ts';
import type { RedfishAnswer, RedfishCall } from './redfish-call.ts';

/** A path on the BMC itself: a link that led elsewhere would carry the password there. */
const link = z.object({ '@odata.id': z.string().regex(/^\/(?!\/)[\u0021-\u007E]*$/) });

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
          target: link.shape['@odata.id'],
          'ResetType@Redfish.AllowableValues': z.array(z.string()).nullish(),
          '@Redfish.ActionInfo': link.shape['@odata.id'].nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const root = z.object({ Systems: link });
const collection = z.object({ Members: z.array(link).min(1).max(64) });
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
 * Finds the machine among the systems of the BMC: the only one, or the one with its UUID. Rejects with BmcError
 * `BMC_ANSWER` when there is none.
 */
export async function findSystem(call: RedfishCall, machine: string): Promise<ComputerSystem> {
  const { Systems } = parse(root, await call('GET', '/redfish/v1/'), 'service root');
  const { Members } = parse(collection, await call('GET', Systems['@odata.id']), 'list of systems');
  for (const member of Members) {
    const path = member['@odata.id'];
    const answer = await call('GET', path);
    const value = parse(system, answer, 'system');
    if (Members.length === 1 || value.UUID?.toLowerCase() === machine.toLowerCase())
      return { path, etag: answer.etag, value };
  }
  throw new BmcError(
    BmcErrorCode.Answer,
    `the BMC has ${Members.length} systems, and none with the UUID ${machine}: report the machine with its own BMC`,
  );
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

function parse<Output>(schema: z.ZodType<Output>, answer: RedfishAnswer, what: string): Output {
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new BmcError(BmcErrorCode.Answer, `the BMC's ${what} is not as Redfish has it, at "${where}"`);
}
