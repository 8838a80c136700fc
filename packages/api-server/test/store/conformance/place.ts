import { apiV2, create } from '@ingot/api';
import { MockClock, type Clock } from '@ingot/net';
import type { Database } from '../../../src/store/database.ts';

/** One place with data: every `open` is another server on it. */
export interface Place extends AsyncDisposable {
  open(clock?: Clock, upToVersion?: number): Promise<Database>;
}

/** Runs work on a database of its own. */
export type WithDatabase = (work: (database: Database, clock: MockClock) => Promise<void>) => Promise<void>;

export const lab = (description = ''): apiV2.Partition => create(apiV2.PartitionSchema, { id: 'lab', description });
