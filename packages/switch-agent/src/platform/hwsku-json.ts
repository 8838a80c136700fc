import { z } from 'zod';
import { parseSonicJson } from './sonic-file.ts';

/** What `hwsku.json` says of one name: a cage's mode, and what its ports have that the mode does not say. */
export interface HwskuPort {
  readonly default_brkout_mode?: string | undefined;
  readonly fec?: string | undefined;
  readonly autoneg?: string | undefined;
  readonly role?: string | undefined;
}

const schema = z.object({
  interfaces: z.record(
    z.string(),
    z.object({
      default_brkout_mode: z.string().optional(),
      fec: z.string().optional(),
      autoneg: z.string().optional(),
      role: z.string().optional(),
    }),
  ),
});

/** By port name. `file` is for the message only. Throws SwitchAgentError `SWITCH_SONIC_FILE`. */
export function parseHwskuJson(file: string, text: string): ReadonlyMap<string, HwskuPort> {
  return new Map(Object.entries(parseSonicJson(file, text, schema).interfaces));
}
