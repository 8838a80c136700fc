import { readFile } from 'node:fs/promises';
import { defaultServerLimits } from '@ingot/api';

/** What the kernel lets this process have. */
export const OPEN_FILES = '/proc/self/limits';
/** For the database, its journal and their readers, the log, certificates and backups. */
const OWN_FILES = 128;
const FEWEST = 16;

/**
 * So many connections leave the server the files that it needs itself: without these it could not even say why it fails.
 * `limits` is a file such as `/proc/self/limits`; where there is none, files are not bounded this way.
 */
export async function connectionsWithin(limits: string): Promise<number> {
  const most = defaultServerLimits.maxConnections;
  const text = await readFile(limits, 'utf8').catch(() => '');
  const soft = /^Max open files +(\d+)/m.exec(text)?.[1];
  return soft === undefined ? most : Math.max(FEWEST, Math.min(most, Number(soft) - OWN_FILES));
}
