import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { words } from '../store/errors.ts';
import { backupsAmong } from './backup-name.ts';
import { BackupError, BackupErrorCode } from '../errors.ts';
import type { BackupTarget } from './target.ts';

/** Backups as files of a directory. */
export function localTarget(directory: string): BackupTarget {
  const place = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return await work();
    } catch (cause) {
      throw new BackupError(BackupErrorCode.Place, `cannot use ${directory}: ${words(cause)}`, { cause });
    }
  };
  return {
    name: directory,
    staging: directory,
    list: () => place(async () => backupsAmong(await readdir(directory))),
    put: (file, name) =>
      place(async () => {
        await rename(file, join(directory, name));
        await using folder = await open(directory, 'r');
        await folder.sync();
      }),
    get: (name, file) => place(() => copyFile(join(directory, name), file, constants.COPYFILE_EXCL)),
    delete: (name) => place(() => rm(join(directory, name))),
  };
}
