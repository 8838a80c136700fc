import { isAbsolute } from 'node:path';
import { systemClock, type Clock } from '@ingot/net';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { localTarget } from './local-target.ts';
import { s3Target, type S3Options } from './s3-target.ts';

/** Where backups are kept. */
export interface BackupTarget {
  /** For people. */
  readonly name: string;
  /** A directory in which a backup is written before it is put here. */
  readonly staging: string;
  /** Names of its backups, oldest first; other files are left alone. */
  list(signal?: AbortSignal): Promise<string[]>;
  /** Moves a complete file here. */
  put(file: string, name: string, signal?: AbortSignal): Promise<void>;
  /** Copies a backup into a file that does not exist yet. */
  get(name: string, file: string, signal?: AbortSignal): Promise<void>;
  delete(name: string, signal?: AbortSignal): Promise<void>;
}

/** `/a/directory` or `s3://bucket/prefix`. */
export function openBackupTarget(text: string, s3: S3Options | undefined, clock: Clock = systemClock): BackupTarget {
  if (isAbsolute(text)) return localTarget(text);
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined) {
    throw new BackupError(
      BackupErrorCode.Place,
      `"${text}" is no place for backups: write /a/directory or s3://bucket/prefix`,
    );
  }
  if (s3 === undefined) {
    throw new BackupError(BackupErrorCode.Place, `${text} needs an access key: see the settings of S3`);
  }
  return s3Target(bucket, prefix.replace(/\/*$/, ''), s3, clock);
}
