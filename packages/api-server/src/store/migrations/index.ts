import { firstTables } from './0001-first-tables.ts';
import { controlPlane } from './0002-control-plane.ts';

/** In order; the database's `user_version` counts those that it has seen. Published ones never change. */
export const migrations: readonly string[] = [firstTables, controlPlane];
