import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { openDatabase } from './database.ts';

/** What an answer depends on. Not copied: nonces, which nobody may see, and sightings, which a dry run makes itself. */
const TABLES = ['lease', 'boot_plan', 'boot_subject_log'];

/**
 * A database in memory with what the one at `path` knows, for answers that must leave no trace. Empty when there is
 * no file, or when another version of Ingot has written it.
 */
export function dryDatabase(path: string): DatabaseSync {
  const dry = openDatabase(':memory:');
  if (!existsSync(path)) return dry;
  dry.prepare('ATTACH ? AS live').run(`${pathToFileURL(path).href}?mode=ro`);
  try {
    const versions = ['main', 'live'].map((name) => dry.prepare(`PRAGMA ${name}.user_version`).get()?.['user_version']);
    if (versions[0] === versions[1])
      for (const table of TABLES) dry.exec(`INSERT INTO main.${table} SELECT * FROM live.${table}`);
  } finally {
    dry.exec('DETACH live');
  }
  return dry;
}
