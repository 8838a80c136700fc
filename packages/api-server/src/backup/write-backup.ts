import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Clock, Entropy } from '@ingot/net';
import type { DatabaseLocation } from '../store/location.ts';
import { version } from '../version.ts';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { sealed, unsealed, type BackupHeader } from './format.ts';
import { exportRows, importLines, type Line } from './rows.ts';
import { withSource } from './source.ts';
import { tablesOf } from './tables.ts';

export interface WriteBackupOptions {
  readonly location: DatabaseLocation;
  /** Must not exist yet. Made with mode 0600: it holds passwords and the key that signs tokens. */
  readonly file: string;
  readonly key: Uint8Array | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly signal?: AbortSignal;
}

/** What is in a backup that was read from its beginning to its end. */
export interface BackupReport {
  readonly header: BackupHeader;
  readonly tables: number;
  readonly rows: number;
  /** Size of the file. */
  readonly bytes: number;
}

/** Copies one state of a database, which may be in use, into a file, and reads that again to be sure of it. */
export async function writeBackup(options: WriteBackupOptions): Promise<BackupReport> {
  const { location, file, key, clock, entropy, signal } = options;
  const within = signal === undefined ? {} : { signal };
  try {
    await withSource(location, async ({ dialect, schema, sql }) => {
      const tables = await tablesOf(sql, dialect);
      const header = { schema, createdAt: new Date(clock.now()).toISOString(), program: version };
      await pipeline(
        Readable.from(exportRows(sql, tables), { objectMode: true, highWaterMark: 1 }),
        createGzip(),
        (content: AsyncIterable<Uint8Array>) => sealed(content, { header, key, entropy }),
        createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true }),
        within,
      );
    });
    return await verifyBackup(file, key);
  } catch (error) {
    if (isTaken(error)) {
      const words = `there is a file ${file}: move it away, or name another`;
      throw new BackupError(BackupErrorCode.NotEmpty, words, { cause: error });
    }
    await rm(file, { force: true });
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** Reads all of a backup. Throws a `BackupError` if anything about it is wrong. */
export async function verifyBackup(file: string, key: Uint8Array | undefined): Promise<BackupReport> {
  let tables = 0;
  let rows = 0;
  const header = await readBackup(file, key, async (_header, lines) => {
    for await (const line of lines) {
      if (line.kind === 'table') tables += 1;
      if (line.kind === 'row') rows += 1;
    }
  });
  return { header, tables, rows, bytes: (await stat(file)).size };
}

/** Hands the lines of a backup to `work`, which reads them to their end. */
export async function readBackup(
  file: string,
  key: Uint8Array | undefined,
  work: (header: BackupHeader, lines: AsyncGenerator<Line>) => Promise<void>,
): Promise<BackupHeader> {
  await using source = await open(file, 'r').catch((cause: unknown) => {
    throw new BackupError(BackupErrorCode.Place, `cannot read ${file}: ${String(cause)}`, { cause });
  });
  const bytes = createReadStream(file, { fd: source, autoClose: false });
  const { header, content } = await unsealed(bytes, key);
  await work(header, checked(importLines(unzipped(content))));
  return header;
}

async function* unzipped(content: AsyncGenerator<Buffer>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const fed = pipeline(content, gunzip);
  // Its error is the one that reading throws.
  fed.catch(() => undefined);
  try {
    yield* gunzip;
    await fed;
  } catch (cause) {
    if (cause instanceof BackupError) throw cause;
    throw new BackupError(
      BackupErrorCode.Damaged,
      'the backup cannot be used: its content is none of ours; take another one',
      { cause },
    );
  }
}

/** The number at the end must be that of the rows, and nothing may follow it. */
async function* checked(lines: AsyncGenerator<Line>): AsyncGenerator<Line> {
  let rows = 0;
  let ended = false;
  for await (const line of lines) {
    if (ended || (line.kind === 'end' && line.rows !== rows)) break;
    if (line.kind === 'end') ended = true;
    if (line.kind === 'row') rows += 1;
    yield line;
  }
  if (!ended)
    throw new BackupError(BackupErrorCode.Damaged, 'the backup cannot be used: it is not complete; take another one');
}
