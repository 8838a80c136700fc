import { SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import type { SonicStore } from '../sonic-db.ts';
import { CONFIG_TABLES, configRows, type ConfigRows } from './tables.ts';

// sonic-cfggen's and swsscommon's mark that config_db.json is loaded in full; `config reload` takes it away first.
const LOADED = 'CONFIG_DB_INITIALIZED';

// Their first letters, so that Redis keeps the many rows of buffers and queues to itself.
const MATCH = '[ILPSV]*';
const WANTED: ReadonlySet<string> = new Set(CONFIG_TABLES);

/**
 * CONFIG_DB at one moment. Throws SwitchAgentError `SWITCH_DATABASE` when it cannot be read, and `SWITCH_NOT_LOADED`
 * while it is empty or only half there: what is missing then is no wish of anybody's.
 */
export async function observeConfig(configDb: SonicStore): Promise<ConfigRows> {
  const { tables, flags } = await configDb.snapshot({
    rows: { match: MATCH, wanted: (table) => WANTED.has(table) },
    flags: [LOADED],
  });
  if (!flags.has(LOADED)) {
    throw notLoaded(`CONFIG_DB has no ${LOADED}: SONiC has not loaded config_db.json, or is loading it again`);
  }
  const config = configRows((table) => tables.get(table));
  if (config.PORT.size === 0) throw notLoaded('CONFIG_DB has no PORT rows; has config_db.json been loaded?');
  return config;
}

function notLoaded(what: string): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.NotLoaded, `${what}; nothing is changed until it is there`);
}
