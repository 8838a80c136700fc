import { z } from 'zod';
import { parseBreakoutMode } from './breakout-mode.ts';
import { parseSonicJson, sonicFileError } from './sonic-file.ts';

/** A front-panel cage: one SFP, QSFP, OSFP or copper port, as `platform.json` describes it. */
export interface Cage {
  /** The name of its first port: `Ethernet0`. */
  readonly name: string;
  /** The number in that name; ports of a breakout count on from it, lane by lane. */
  readonly base: number;
  readonly lanes: readonly string[];
  /** The front-panel index of each lane. */
  readonly indexes: readonly string[];
  /** The aliases of the ports of each breakout mode, in the file's order. */
  readonly modes: ReadonlyMap<string, readonly string[]>;
}

const commaSeparated = z
  .union([z.string(), z.number().transform(String)])
  .transform((text) => text.split(',').map((part) => part.trim()));

const schema = z.object({
  interfaces: z
    .record(
      z.string(),
      z.object({
        lanes: commaSeparated,
        index: commaSeparated,
        breakout_modes: z.record(z.string(), z.array(z.string())),
      }),
    )
    .default({}),
});

const NAME = /^Ethernet(\d{1,5})$/;
const LANE = /^\d{1,5}$/;

/**
 * The cages of a `platform.json`, by name, in the file's order; undefined when it describes none, as many platforms'
 * does. `file` is for the message only. Throws SwitchAgentError `SWITCH_SONIC_FILE`.
 */
export function parsePlatformJson(file: string, text: string): ReadonlyMap<string, Cage> | undefined {
  const cages = new Map<string, Cage>();
  for (const [name, properties] of Object.entries(parseSonicJson(file, text, schema).interfaces)) {
    const fail = (what: string): never => {
      throw sonicFileError(file, `interfaces.${name}: ${what}`);
    };
    const base = NAME.exec(name)?.[1];
    if (base === undefined) return fail('is no port that SONiC breaks out; it has to be Ethernet and a number');
    const { lanes, breakout_modes: modes } = properties;
    if (!lanes.every((lane) => LANE.test(lane))) return fail(`lanes "${lanes.join(',')}" are no numbers`);
    // Some files give fewer indexes than lanes, as a cage has one number only.
    const indexes = lanes.map((_, lane) => properties.index[lane] ?? properties.index[0] ?? '');
    // A mode that nobody understands must not take the switch's other ones away; who asks for it is told.
    const known = Object.entries(modes).filter(([mode]) => parseBreakoutMode(mode) !== undefined);
    cages.set(name, { name, base: Number(base), lanes, indexes, modes: new Map(known) });
  }
  return cages.size === 0 ? undefined : cages;
}
