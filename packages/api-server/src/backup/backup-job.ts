import { readSecretFile, type Logger, type Redactor } from '@ingot/daemon';
import type { Clock, Entropy } from '@ingot/net';
import type { PeriodicJob } from '../jobs/periodic-jobs.ts';
import type { DatabaseLocation } from '../store/location.ts';
import { backupsUntil, backupTime } from './backup-name.ts';
import { keepBackup } from './keep-backups.ts';
import { readBackupKey } from './key.ts';
import { everyMs, type BackupSettings } from './settings.ts';
import { openBackupTarget, type BackupTarget } from './target.ts';

export interface BackupJobOptions {
  readonly settings: BackupSettings;
  readonly location: DatabaseLocation;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly redactor: Pick<Redactor, 'add'>;
}

/** The periodic backup, and when the newest that it knows of was made. */
export interface BackupJob {
  readonly job: PeriodicJob;
  /** Milliseconds since the epoch; undefined until it has looked. */
  readonly newestAt: () => number | undefined;
}

/** How often it is looked whether a backup is due: the newest may be another server's. */
const LOOK_EVERY_MS = 60_000;

/** Reads the keys, which fails the start and not the first night, and answers the job. */
export async function createBackupJob(options: BackupJobOptions): Promise<BackupJob> {
  const { settings, location, clock, entropy, log, redactor } = options;
  const key = settings.keyFile === undefined ? undefined : await readBackupKey(settings.keyFile);
  const target = await targetOf(settings, redactor, clock);
  let newest: number | undefined;
  return {
    newestAt: () => newest,
    job: {
      name: 'backup',
      everyMs: Math.min(LOOK_EVERY_MS, everyMs(settings)),
      async run(signal) {
        newest = backupTime(backupsUntil(await target.list(signal), clock.now()).at(-1) ?? '');
        if (newest !== undefined && clock.now() - newest < everyMs(settings)) return undefined;
        const { keep } = settings;
        const { name, report, removed } = await keepBackup({ location, target, key, keep, clock, entropy, signal });
        newest = backupTime(name);
        const { rows, bytes } = report;
        log.info({ event: 'backup.written', name, place: target.name, rows, bytes, removed }, `wrote ${name}`);
        return { name, place: target.name, rows, bytes, removed };
      },
    },
  };
}

async function targetOf(
  { to, s3 }: BackupSettings,
  redactor: Pick<Redactor, 'add'>,
  clock: Clock,
): Promise<BackupTarget> {
  if (s3 === undefined) return openBackupTarget(to, undefined);
  const secretAccessKey = await readSecretFile(s3.secretAccessKeyFile);
  redactor.add(secretAccessKey);
  return openBackupTarget(to, { ...s3, secretAccessKey }, clock);
}
