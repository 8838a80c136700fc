import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { isNoDatabase } from './database.ts';

/**
 * Takes `folder` for this process: two boot servers on one would give the same addresses to different machines. The
 * lock is one that SQLite takes from the kernel on a file of its own, so it ends with the process, however that ends.
 * Throws BootServerError DATA_DIR_IN_USE or STORE_UNUSABLE. Returns what gives it back.
 */
export function lockDataDir(folder: string, pid: number): () => void {
  const path = join(folder, 'lock.sqlite');
  const pidFile = join(folder, 'boot-server.pid');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    // In this mode the lock of a transaction is kept until the file is closed.
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;');
    writeFileSync(pidFile, `${pid}\n`);
    const held = lock;
    return () => held.close();
  } catch (cause) {
    lock?.close();
    const words = wordsOf(cause);
    if (/locked|busy/i.test(words)) {
      throw new BootServerError(
        BootServerErrorCode.DataDirInUse,
        `another boot server${holder(pidFile)} uses ${folder}: stop it, or give this one a dataDir of its own`,
        cause,
      );
    }
    throw new BootServerError(
      BootServerErrorCode.StoreUnusable,
      `cannot lock ${folder}: ${words}; ${isNoDatabase(cause) ? `remove ${path}: it holds nothing that is needed` : 'make it writable for this user, with some space left'}`,
      cause,
    );
  }
}

function holder(pidFile: string): string {
  try {
    return ` (process ${readFileSync(pidFile, 'utf8').trim()})`;
  } catch {
    return '';
  }
}
