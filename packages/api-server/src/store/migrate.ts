import { ApiServerError, ApiServerErrorCode } from '../errors.ts';
import { words } from './errors.ts';
import type { Dialect } from './database.ts';
import { migrations } from './migrations/index.ts';
import { scriptOf } from './migrations/migration.ts';

/** What bringing a database up to date needs of it. */
export interface MigrationTarget {
  /** For errors, without secrets: a path or a URL. */
  readonly name: string;
  readonly dialect: Dialect;
  /** The number of migrations that it has seen. */
  version(): Promise<number> | number;
  /** Runs a script and notes the version, in one transaction. */
  apply(script: string, version: number): Promise<void> | void;
}

/** Forward only. Throws `DATABASE_TOO_NEW` for one of a newer program, and `DATABASE_UNUSABLE` if a step fails. */
export async function migrate(target: MigrationTarget, upTo: number = migrations.length): Promise<void> {
  const seen = await target.version();
  if (seen > migrations.length) {
    throw new ApiServerError(
      ApiServerErrorCode.DatabaseTooNew,
      `the database ${target.name} is of version ${seen}, this program knows ${migrations.length}: start the newer program`,
    );
  }
  for (const [index, migration] of migrations.slice(0, upTo).entries()) {
    if (index < seen) continue;
    try {
      await target.apply(scriptOf(migration, target.dialect), index + 1);
    } catch (error) {
      throw new ApiServerError(
        ApiServerErrorCode.DatabaseUnusable,
        `cannot upgrade the database ${target.name} to version ${index + 1}: ${words(error)}; ` +
          'free its disk, or restore it from a backup',
        { cause: error },
      );
    }
  }
}
