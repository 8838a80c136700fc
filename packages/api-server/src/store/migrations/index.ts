import { firstTables } from './0001-first-tables.ts';
import { controlPlane } from './0002-control-plane.ts';
import { replicas } from './0003-replicas.ts';
import { machineColumns } from './0004-machine-columns.ts';
import { placement } from './0005-placement.ts';
import { lentRights } from './0006-lent-rights.ts';
import { idempotency } from './0007-idempotency.ts';
import { bmcRetries } from './0008-bmc-retries.ts';
import { owedWipes } from './0009-owed-wipes.ts';
import { candidates } from './0010-candidates.ts';
import { connections } from './0011-connections.ts';
import { switchStatus } from './0012-switch-status.ts';
import type { Migration } from './migration.ts';

/**
 * In order; the database counts those that it has seen. Published ones never change. They are written in SQLite's types
 * (TEXT, INTEGER, BLOB, `INTEGER PRIMARY KEY AUTOINCREMENT`, STRICT), which `postgresScript` turns into PostgreSQL's.
 */
export const migrations: readonly Migration[] = [
  firstTables,
  controlPlane,
  replicas,
  machineColumns,
  placement,
  lentRights,
  idempotency,
  bmcRetries,
  owedWipes,
  candidates,
  connections,
  switchStatus,
];
