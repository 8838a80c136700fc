import { lstat, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseConfigDb } from './parse-config-db.ts';

/** What became of a file that was to be written. `overtaken`: it is not what it was expected to be, and stays. */
export type Written = 'unchanged' | 'written' | 'replaced' | 'overtaken';

export interface WriteOptions {
  /** Behind the name of the file: where the one before is kept. Default `.bak`. */
  readonly backup?: string;
  /** What the file has to be for it to be replaced. */
  readonly over?: string;
}

/**
 * Writes a `config_db.json` so that a reader, or a switch that loses its power, has the old or the new one: a file
 * beside it, synced and renamed. What stood there before is kept beside it, unless it was no configuration.
 * Owner and mode stay what they were; a new file is 0644.
 */
export async function writeConfigFile(path: string, text: string, options: WriteOptions = {}): Promise<Written> {
  const { backup = '.bak', over } = options;
  const target = await resolveLink(path);
  const old = await readIfThere(target);
  if (over !== undefined && old !== over) return 'overtaken';
  if (old === text) return 'unchanged';
  const mode = old === undefined ? undefined : await stat(target);
  if (old !== undefined && parseConfigDb(target, old).ok) await replace(`${target}${backup}`, old, mode);
  await replace(target, text, mode);
  return old === undefined ? 'written' : 'replaced';
}

interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function replace(target: string, text: string, like: Ownership | undefined): Promise<void> {
  const fresh = `${target}.new`;
  // A run that was killed may have left one. The next is made anew, so that nobody else's file is written to.
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx', 0o600);
  try {
    try {
      await file.writeFile(text);
      if (like !== undefined && (like.uid !== process.getuid?.() || like.gid !== process.getgid?.())) {
        await file.chown(like.uid, like.gid);
      }
      await file.chmod(like === undefined ? 0o644 : like.mode & 0o777);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  // The rename is in the folder, which has to reach the disk too.
  const folder = await open(dirname(target), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

// Renaming onto a link would replace the link.
async function resolveLink(path: string): Promise<string> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await realpath(path) : path;
  } catch {
    return path;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
