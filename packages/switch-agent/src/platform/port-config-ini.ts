import { sonicFileError } from './sonic-file.ts';

/** A row of `port_config.ini`. */
export interface IniPort {
  readonly name: string;
  readonly lanes: readonly string[];
  readonly alias: string;
  readonly index: string | undefined;
  /** Mbit/s. */
  readonly speed: number | undefined;
  /** `fec`, `autoneg` and `role` go into PORT as they are. */
  readonly fec: string | undefined;
  readonly autoneg: string | undefined;
  readonly role: string | undefined;
}

/** What the columns are when no comment says so (portconfig.py). */
const DEFAULT_COLUMNS = ['name', 'lanes', 'alias', 'index'];

/**
 * The ports of a `port_config.ini`: columns by white space, named by a comment that has the word `name`.
 * `file` is for the message only. Throws SwitchAgentError `SWITCH_SONIC_FILE`.
 */
export function parsePortConfigIni(file: string, text: string): readonly IniPort[] {
  let columns: readonly string[] = DEFAULT_COLUMNS;
  const ports = new Map<string, IniPort>();
  for (const [number, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim().split(/\s+/);
    if (line.startsWith('#')) {
      if (line.includes('name')) columns = line.replace(/^#+/, '').trim().split(/\s+/);
      continue;
    }
    if (words.length < 2) continue;
    const cell = (column: string): string | undefined => words[columns.indexOf(column)];
    const fail = (what: string): never => {
      throw sonicFileError(`${file}:${number + 1}:`, what);
    };
    const [name, lanes, speed] = [cell('name'), cell('lanes'), cell('speed')];
    if (name === undefined || lanes === undefined) return fail('has no name or no lanes');
    if (!/^\d+(,\d+)*$/.test(lanes)) return fail(`the lanes "${lanes}" are no numbers`);
    if (speed !== undefined && !/^\d+$/.test(speed)) return fail(`the speed "${speed}" is no number of Mbit/s`);
    if (ports.has(name)) return fail(`${name} stands there a second time`);
    ports.set(name, {
      name,
      lanes: lanes.split(','),
      alias: cell('alias') ?? name,
      index: cell('index'),
      speed: speed === undefined ? undefined : Number(speed),
      fec: cell('fec'),
      autoneg: cell('autoneg'),
      role: cell('role'),
    });
  }
  if (ports.size === 0) throw sonicFileError(file, 'has no port');
  return [...ports.values()];
}
