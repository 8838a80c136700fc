import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ingot/net';
import { openDatabase } from '../../src/store/open-database.ts';
import type { Place } from './conformance/place.ts';

/** A directory for one SQLite file, removed with what is in it. */
export async function sqlitePlace(): Promise<Place & { readonly path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-store-'));
  const path = join(directory, 'data', 'api.sqlite');
  return {
    path,
    open: (clock = systemClock, upToVersion) =>
      openDatabase({ dialect: 'sqlite', path }, { clock, ...(upToVersion === undefined ? {} : { upToVersion }) }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}
