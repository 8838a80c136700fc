import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { openDebugKeys, type DebugKeys } from '../debug-key/debug-keys.ts';
import { subjectMemory, type SubjectMemory } from '../decide/subject-memory.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { bootStore, type BootStore } from '../store/boots.ts';
import { openDatabase } from '../store/database.ts';
import { groupCommit, writeAnything, type GroupCommit } from '../store/group-commit.ts';
import { leaseStore, type LeaseStore } from '../store/leases.ts';
import { lease6Store, type Lease6Store } from '../store/leases6.ts';
import { lockDataDir } from '../store/lock.ts';
import { sightingStore, type SightingStore } from '../store/sightings.ts';

/** All that the boot server keeps in `dataDir`. */
export interface Stores {
  readonly database: DatabaseSync;
  readonly commits: GroupCommit;
  readonly subjects: SubjectMemory;
  readonly sightings: SightingStore;
  readonly leaseRows: LeaseStore;
  readonly lease6Rows: Lease6Store;
  readonly lastPlans: BootStore;
  readonly debugKeys: DebugKeys;
}

/** Takes the folder for this process. Rejects with BootServerError STORE_UNUSABLE or DATA_DIR_IN_USE. */
export async function openStores(components: {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What ends with the server, the last first. */
  readonly onStop: (stop: () => Promise<void>) => void;
}): Promise<Stores> {
  const { dataDir, clock, log, onStop } = components;
  await makeDataDir(dataDir);
  const unlock = lockDataDir(dataDir, process.pid);
  onStop(() => Promise.resolve(unlock()));
  const database = openDatabase(join(dataDir, 'boot-server.sqlite'));
  onStop(() => Promise.resolve(database.close()));
  const commits = groupCommit(database);
  const subjects = subjectMemory(database, commits);
  const sightings = sightingStore(database, clock, { commits, log, onSaw: (mac) => subjects.keep(mac) });
  const leaseRows = leaseStore(database, commits);
  const lease6Rows = lease6Store(database, commits);
  const lastPlans = bootStore(database, clock, { commits, log });
  onStop(() => Promise.resolve(lastPlans.flush()));
  const debugKeys = openDebugKeys({ dataDir, clock, log });
  onStop(() => Promise.resolve(debugKeys.stop()));
  return { database, commits, subjects, sightings, leaseRows, lease6Rows, lastPlans, debugKeys };
}

/** For the health endpoint: whether rows can be read, and written again after a write that failed. */
export function storeCheck({ database, commits }: Pick<Stores, 'database' | 'commits'>): () => { readonly ok: true } {
  return () => {
    database.prepare('SELECT count(*) FROM used_nonce').get();
    // Nothing may have asked since there is room again.
    if (commits.failure !== undefined) writeAnything(database, commits);
    return { ok: true };
  };
}

async function makeDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const words = wordsOf(cause);
    throw new BootServerError(
      BootServerErrorCode.StoreUnusable,
      `dataDir: ${words}; name a folder, in one that this user may write to`,
      cause,
    );
  }
}
