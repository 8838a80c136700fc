import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { DesiredSwitch } from '../api.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import { writeWhole } from '../write-whole.ts';
import type { AdminStatus } from './wishes.ts';

/** What the agent remembers over restarts. */
export interface Remembered {
  /** The switch as the API last wanted it. */
  readonly desired: DesiredSwitch;
  /** By SONiC port: the administrative status that was last asked for, which the API forgets once it is reached. */
  readonly admin: ReadonlyMap<string, AdminStatus>;
  /** Whether the API has since lost the switch, so that an answer in which it wants nothing is no wish. */
  readonly forgotten?: boolean;
}

/**
 * How many ports were wanted in a VRF by an API that has since lost the switch and now wants none there; 0 when its
 * answer counts.
 */
export function portsLost(remembered: Remembered | undefined, desired: DesiredSwitch): number {
  if (remembered?.forgotten !== true || countBound(desired) > 0) return 0;
  return countBound(remembered.desired);
}

function countBound({ nics }: DesiredSwitch): number {
  return nics.filter(({ vrf = '' }) => vrf !== '').length;
}

const status = z.enum(['up', 'down']);
const schema = z.object({
  version: z.literal(1),
  nics: z.array(
    z.object({
      name: z.string(),
      vrf: z.string().exactOptional(),
      state: status.exactOptional(),
      filter: z.object({ cidrs: z.array(z.string()), vnis: z.array(z.string()) }).exactOptional(),
    }),
  ),
  admin: z.record(z.string(), status),
  forgotten: z.boolean().exactOptional(),
});

/** Reads the file; undefined when there is none. Throws SwitchAgentError `SWITCH_STATE_FILE`. */
export async function readRemembered(file: string): Promise<Remembered | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw fileError(file, `cannot be read (${reasonOf(error)}); correct its rights, or stateFile`, error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fileError(file, `is not JSON (${reasonOf(error)}); remove it`, error);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw fileError(file, `is not this agent's: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}; remove it`);
  }
  const { nics, admin, forgotten = false } = parsed.data;
  return { desired: { nics }, admin: new Map(Object.entries(admin)), ...(forgotten ? { forgotten } : {}) };
}

/**
 * Writes the file so that a crash or a loss of power leaves the old one or the new one, whole.
 * Throws SwitchAgentError `SWITCH_STATE_FILE`.
 */
export async function writeRemembered(file: string, { desired, admin, forgotten }: Remembered): Promise<void> {
  const content = { version: 1, nics: desired.nics, admin: Object.fromEntries(admin), forgotten };
  try {
    await writeWhole(file, `${JSON.stringify(content, null, 1)}\n`);
  } catch (error) {
    throw fileError(file, `cannot be written (${reasonOf(error)}); make its folder, or correct stateFile`, error);
  }
}

function fileError(file: string, what: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.StateFile, `${file} ${what}`, cause);
}
