import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';

/** Where one of SONiC's databases is, and how its keys are built. */
export interface SonicDatabase {
  readonly name: string;
  /** Redis database number. */
  readonly id: number;
  /** Between table and key: `|` in CONFIG_DB, `:` in APPL_DB. */
  readonly separator: string;
  readonly unixSocketPath: string;
  /** A file with the password of the Redis instance, when it has one. */
  readonly passwordPath?: string;
}

export type DatabaseName = 'APPL_DB' | 'ASIC_DB' | 'CONFIG_DB' | 'COUNTERS_DB' | 'STATE_DB';

const schema = z.object({
  INSTANCES: z.record(
    z.string(),
    z.object({ unix_socket_path: z.string().min(1), password_path: z.string().optional() }),
  ),
  DATABASES: z.record(z.string(), z.object({ id: z.int().min(0), separator: z.string().min(1), instance: z.string() })),
});

/** The databases that the agent reads. */
export type DatabaseConfig = Readonly<Record<DatabaseName, SonicDatabase>>;

/**
 * Reads SONiC's `database_config.json` (docker-database writes it): numbers and separators differ between releases and
 * platforms, so they are never assumed. Throws SwitchAgentError `SWITCH_SONIC_FILE`.
 */
export async function readDatabaseConfig(file: string): Promise<DatabaseConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fileError(
      file,
      `cannot be read (${reasonOf(error)}); is SONiC's database container up, and is redis.databaseConfig right?`,
      error,
    );
  }
  return parseDatabaseConfig(text, file);
}

/** As `readDatabaseConfig`, from the text; `file` is for the message only. */
export function parseDatabaseConfig(text: string, file: string): DatabaseConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fileError(file, `is not JSON (${reasonOf(error)})`, error);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw fileError(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not what SONiC writes'}`, parsed.error);
  }
  const find = (name: DatabaseName): SonicDatabase => {
    const database = parsed.data.DATABASES[name];
    if (database === undefined) throw fileError(file, `has no DATABASES.${name}`);
    const instance = parsed.data.INSTANCES[database.instance];
    if (instance === undefined) {
      throw fileError(file, `DATABASES.${name} names the instance "${database.instance}", which INSTANCES lacks`);
    }
    const passwordPath = instance.password_path;
    return {
      name,
      id: database.id,
      separator: database.separator,
      unixSocketPath: instance.unix_socket_path,
      ...(passwordPath === undefined || passwordPath === '' ? {} : { passwordPath }),
    };
  };
  return {
    APPL_DB: find('APPL_DB'),
    ASIC_DB: find('ASIC_DB'),
    CONFIG_DB: find('CONFIG_DB'),
    COUNTERS_DB: find('COUNTERS_DB'),
    STATE_DB: find('STATE_DB'),
  };
}

function fileError(file: string, what: string, cause?: unknown): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.SonicFile, `${file} ${what}`, cause);
}
