import { systemClock } from '@ingot/net';
import type { ConfigDb } from '../config-db/config-db.ts';
import { configDbOfRedis } from '../config-db/redis-rows.ts';
import { readDatabaseConfig } from '../database-config.ts';
import { openSonicDb } from '../sonic-db.ts';

/**
 * Everything in the running CONFIG_DB, read at one moment. `databaseConfig` is SONiC's `database_config.json`.
 * Throws SwitchAgentError.
 */
export async function readRunningConfig(databaseConfig: string): Promise<ConfigDb> {
  const { CONFIG_DB: database } = await readDatabaseConfig(databaseConfig);
  const db = openSonicDb({ name: 'CONFIG_DB', locate: () => Promise.resolve(database), clock: systemClock });
  try {
    const { tables } = await db.snapshot({ rows: { match: '*', wanted: () => true } });
    return configDbOfRedis(tables);
  } finally {
    db.close();
  }
}
