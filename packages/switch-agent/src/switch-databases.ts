import type { Clock } from '@ingot/net';
import { type DatabaseName, readDatabaseConfig } from './database-config.ts';
import { openSonicDb, type SonicStore } from './sonic-db.ts';

/** SONiC's databases as far as the agent has to do with them. None is connected before it is asked. */
export interface SwitchDatabases {
  readonly appDb: SonicStore;
  readonly asicDb: SonicStore;
  readonly configDb: SonicStore;
  readonly countersDb: SonicStore;
  readonly stateDb: SonicStore;
  close(): void;
}

export interface DatabaseSettings {
  readonly redis: { readonly databaseConfig: string; readonly timeoutSeconds: number };
}

export function openDatabases({ redis }: DatabaseSettings, clock: Clock): SwitchDatabases {
  const opened: SonicStore[] = [];
  const open = (name: DatabaseName): SonicStore => {
    const db = openSonicDb({
      name,
      locate: async () => (await readDatabaseConfig(redis.databaseConfig))[name],
      clock,
      timeoutMs: redis.timeoutSeconds * 1000,
    });
    opened.push(db);
    return db;
  };
  return {
    appDb: open('APPL_DB'),
    asicDb: open('ASIC_DB'),
    configDb: open('CONFIG_DB'),
    countersDb: open('COUNTERS_DB'),
    stateDb: open('STATE_DB'),
    close: () => {
      for (const db of opened) db.close();
    },
  };
}
