import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Entropy } from '@ingot/net';
import type { DatabaseLocation } from '../store/location.ts';
import { backupName, backupsUntil } from './backup-name.ts';
import type { BackupTarget } from './target.ts';
import { writeBackup, type BackupReport } from './write-backup.ts';

export interface KeepBackupOptions {
  readonly location: DatabaseLocation;
  readonly target: BackupTarget;
  readonly key: Uint8Array | undefined;
  /** How many to keep, this one included; undefined keeps all. */
  readonly keep: number | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signal?: AbortSignal;
}

/** What was written, and what was removed for it. */
export interface KeptBackup {
  readonly name: string;
  readonly report: BackupReport;
  readonly removed: readonly string[];
}

/** Makes a backup, checks it, puts it into its place, and only then removes the oldest. */
export async function keepBackup(options: KeepBackupOptions): Promise<KeptBackup> {
  const { location, target, key, keep, clock, entropy, signal } = options;
  await mkdir(target.staging, { recursive: true, mode: 0o700 });
  const workshop = await mkdtemp(join(target.staging, '.ingot-backup-'));
  try {
    const file = join(workshop, 'backup');
    const name = backupName(clock.now());
    const report = await writeBackup({
      location,
      file,
      key,
      clock,
      entropy,
      ...(signal === undefined ? {} : { signal }),
    });
    await target.put(file, name, signal);
    const removed = keep === undefined ? [] : backupsUntil(await target.list(signal), clock.now()).slice(0, -keep);
    for (const old of removed) await target.delete(old, signal);
    return { name, report, removed };
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}
