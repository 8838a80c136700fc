import { parseArgs } from 'node:util';
import { reasonOf } from '../errors.ts';
import type { ConfigDb } from '../config-db/config-db.ts';
import { parseConfigDb } from '../config-db/parse-config-db.ts';
import type { CommandSurroundings } from '../command-surroundings.ts';
import { ExitStatus } from '../exit-status.ts';
import { readSonicFile } from '../platform/sonic-file.ts';
import { cagesOfConfigDb } from './cages.ts';
import { translateByLanes, translateOnSwitch, type PortNaming } from './translate.ts';

const usage = `ingot-switch ports translate --to sonic|cumulus [--config FILE | --lanes N] NAME…
    the other name of each port, one a line, in the order given

      --config FILE  the switch's config_db.json, whose breakouts then count
      --lanes N      without one: how many lanes every cage has; default 4, as the metal-stack API has it

Status: 0 done, 2 nothing came of it.
`;

/** `ingot-switch ports`. Never rejects: what is wrong is said, and the exit status tells. */
export async function portsCommand(args: readonly string[], { out, err }: CommandSurroundings): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        to: { type: 'string' },
        config: { type: 'string' },
        lanes: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      out(usage);
      return ExitStatus.Done;
    }
    const [action, ...names] = positionals;
    if (action !== 'translate' || names.length === 0) throw new Error(`write: ports translate NAME…\n\n${usage}`);
    const to = namingOf(values.to);
    const translated =
      values.config === undefined
        ? translateByLanes(names, to, lanesOf(values.lanes ?? '4'))
        : translateOnSwitch(names, to, cagesOfConfigDb(await readConfig(values.config)));
    if (values.config !== undefined && values.lanes !== undefined)
      throw new Error('write --config or --lanes, not both');
    const lines = translated.ok ? translated.names : translated.problems;
    (translated.ok ? out : err)(lines.map((line) => `${line}\n`).join(''));
    return translated.ok ? ExitStatus.Done : ExitStatus.Failed;
  } catch (error) {
    err(`${reasonOf(error)}\n`);
    return ExitStatus.Failed;
  }
}

function namingOf(text: string | undefined): PortNaming {
  if (text === 'cumulus' || text === 'sonic') return text;
  throw new Error('write --to sonic or --to cumulus');
}

function lanesOf(text: string): number {
  if (!/^(?:1|2|4|8|16)$/.test(text)) throw new Error('write --lanes 1, 2, 4, 8 or 16');
  return Number(text);
}

async function readConfig(file: string): Promise<ConfigDb> {
  const document = parseConfigDb(file, await readSonicFile(file, 'write the path of a config_db.json'));
  if (document.ok) return document.value;
  throw new Error(document.problems.join('\n'));
}
