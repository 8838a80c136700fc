import { z } from 'zod';
import { issueWords } from './config-issue.ts';
import { listenAddress } from './listen-address.ts';
import { LOG_LEVELS, type LogLevel } from './logger.ts';

/** The fields that `defineConfig` adds to every daemon's schema. */
export interface DaemonConfig {
  /** Where `/metrics`, `/healthz` and `/readyz` are served: `address:port` or `unix:/path`; nowhere when absent. */
  readonly metrics?: string | undefined;
  /** Default `info`. */
  readonly logLevel: LogLevel;
}

/** A daemon's configuration: one schema for the file, the environment, the flags and the help text. */
export interface ConfigDefinition<Config> {
  /** The part's name, `boot-server`: its environment variables begin with INGOT_BOOT_SERVER_. */
  readonly name: string;
  /** One sentence for the help text. */
  readonly description: string | undefined;
  /** Describes the fields; `parse` is the typed way through it. */
  readonly schema: z.ZodObject;
  /** Checks a whole configuration and fills in the defaults. */
  readonly parse: (value: unknown) => z.ZodSafeParseResult<Config>;
}

export interface DefineConfigOptions<Schema extends z.ZodObject> {
  readonly name: string;
  readonly description?: string;
  /**
   * camelCase keys; every field with `.describe()`; defaults with `.default()`; secrets wrapped in `secret()`.
   * `metrics` and `logLevel` are added. A key that the schema does not know is an error, at every depth.
   */
  readonly schema: Schema;
}

const daemonFields = {
  metrics: listenAddress()
    .optional()
    .describe('where /metrics, /healthz and /readyz are served: address:port or unix:/path; nowhere when absent'),
  logLevel: z.enum(LOG_LEVELS).default('info').describe('the least grave level that is logged'),
};

/** Makes a daemon's configuration definition out of its schema. */
export function defineConfig<Schema extends z.ZodObject>(
  options: DefineConfigOptions<Schema>,
): ConfigDefinition<z.output<Schema> & DaemonConfig> {
  const common = z.object(daemonFields);
  // Parsed side by side rather than merged, so that each keeps its own exact type.
  const schema = z.object({ ...options.schema.shape, ...common.shape });
  const both = z.intersection(options.schema, common);
  return {
    name: options.name,
    description: options.description,
    schema,
    parse: (value) => both.safeParse(value, { error: issueWords }),
  };
}
