import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { BackupReport, BackupTarget, DatabaseLocation } from '@ingot/api-server';
import { type Command, InvalidArgumentError } from 'commander';
import { CliError, CliErrorCode } from './errors.ts';
import { untilInterrupted } from './interrupt.ts';
import type { CliIo } from './io.ts';

type Server = typeof import('@ingot/api-server');

interface DatabaseFlags {
  readonly database: string;
  readonly databasePasswordFile?: string;
  readonly keyFile?: string;
}

// As the unit of systemd has it.
const DEFAULT_DATABASE = 'sqlite:/var/lib/ingot-api-server/api.sqlite';
const KEY_FLAG = ['--key-file <file>', 'the file with the key of the backup'] as const;

/** `ingot db`: works on the database itself, also while a server runs on it; it asks no API server. */
export function addDbCommands(program: Command, io: CliIo): void {
  const db = program
    .command('db')
    .description("back up and restore the API server's database")
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nA PLACE is /a/directory or s3://bucket/prefix. S3 takes AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,\nAWS_REGION and AWS_ENDPOINT_URL from the environment.',
    );

  withDatabaseFlags(db.command('backup').description('make a backup, check it, and put it into a place'))
    .argument('<place>')
    .option('--key-file <file>', 'encrypt it with the key in this file: openssl rand -base64 32')
    .option('--keep <number>', 'then remove the oldest backups in the place, but for so many', atLeastOne)
    .action((place: string, flags: DatabaseFlags & { readonly keep?: number }) =>
      inWords(async (server) => {
        const target = server.openBackupTarget(place, s3Options(io));
        const { systemClock, systemEntropy } = await import('@ingot/net');
        const location = await locationOf(server, flags);
        const key = await keyOf(server, flags);
        // An end in order takes away what was begun, here and in the place.
        const { name, report, removed } = await untilInterrupted(
          io,
          (signal) =>
            server.keepBackup({
              location,
              target,
              key,
              keep: flags.keep,
              clock: systemClock,
              entropy: systemEntropy,
              signal,
            }),
          () => 'stopped: no backup was made',
        );
        io.stdout(`${joined(target, name)}\n`);
        io.stderr(`${summary(report)}${removed.length === 0 ? '' : `; removed ${removed.join(', ')}`}\n`);
        if (flags.keyFile === undefined)
          io.stderr('It is not encrypted, and holds passwords: keep it safe, or use --key-file.\n');
      }),
    );

  withDatabaseFlags(db.command('restore').description('fill an empty database with a backup, after checking all of it'))
    .argument('<backup>', 'a file, or s3://bucket/prefix/name')
    .option(...KEY_FLAG)
    .action((backup: string, flags: DatabaseFlags) =>
      inWords(async (server) => {
        const { systemClock } = await import('@ingot/net');
        const location = await locationOf(server, flags);
        const key = await keyOf(server, flags);
        const report = await withFile(server, backup, io, (file) =>
          server.restoreBackup({ file, key, location, clock: systemClock }),
        );
        io.stdout(`restored ${summary(report)}\n`);
        if (location.dialect === 'sqlite') io.stderr(`Give ${location.path} to the server's user before it starts.\n`);
      }),
    );

  db.command('verify')
    .description('read all of a backup')
    .argument('<backup>', 'a file, or s3://bucket/prefix/name')
    .option(...KEY_FLAG)
    .action((backup: string, flags: Pick<DatabaseFlags, 'keyFile'>) =>
      inWords(async (server) => {
        const key = await keyOf(server, flags);
        io.stdout(`${summary(await withFile(server, backup, io, (file) => server.verifyBackup(file, key)))}\n`);
      }),
    );

  db.command('ls')
    .description('list the backups in a place, oldest first')
    .argument('<place>')
    .action((place: string) =>
      inWords(async (server) => {
        const target = server.openBackupTarget(place, s3Options(io));
        for (const name of await target.list()) io.stdout(`${joined(target, name)}\n`);
      }),
    );

  db.command('decrypt')
    .description("decrypt a .aes file of metal-stack's backup-restore-sidecar, whose content is not Ingot's")
    .argument('<file>')
    .requiredOption('--key-file <file>', 'the file with its key of 32 characters')
    .requiredOption('--out <file>', 'where to write the content')
    .action((file: string, { keyFile, out }: { readonly keyFile: string; readonly out: string }) =>
      inWords(async (server) => {
        const kind = await server.decryptSidecarFile(file, keyFile, out);
        io.stdout(`wrote ${out}\n`);
        io.stderr(
          kind === undefined
            ? 'It is neither gzip nor lz4 nor tar: probably the key is another. This format cannot tell.\n'
            : `It looks like ${kind}. This format cannot tell whether it is damaged.\n`,
        );
      }),
    );
}

function withDatabaseFlags(command: Command): Command {
  return command
    .option('--database <location>', 'sqlite:/path or postgres://user@host/database', DEFAULT_DATABASE)
    .option('--database-password-file <file>', 'the file with the password for PostgreSQL');
}

function atLeastOne(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('Write a number from 1.');
  return number;
}

async function locationOf(server: Server, flags: DatabaseFlags): Promise<DatabaseLocation> {
  const location = server.parseDatabaseLocation(flags.database);
  if (location.dialect === 'sqlite' || flags.databasePasswordFile === undefined) return location;
  const { readSecretFile } = await import('@ingot/daemon');
  return { ...location, password: await readSecretFile(flags.databasePasswordFile) };
}

async function keyOf(server: Server, { keyFile }: Pick<DatabaseFlags, 'keyFile'>): Promise<Buffer | undefined> {
  return keyFile === undefined ? undefined : server.readBackupKey(keyFile);
}

function s3Options({ env }: CliIo): Parameters<Server['openBackupTarget']>[1] {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: env['AWS_SESSION_TOKEN'],
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    endpoint: env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'],
  };
}

/** Runs `work` with the backup as a file of this host. */
async function withFile<T>(server: Server, backup: string, io: CliIo, work: (file: string) => Promise<T>): Promise<T> {
  if (!backup.startsWith('s3://')) return work(backup);
  const folder = await mkdtemp(join(tmpdir(), 'ingot-backup-'));
  try {
    const file = join(folder, 'backup');
    const target = server.openBackupTarget(dirname(backup), s3Options(io));
    await untilInterrupted(io, (signal) => target.get(basename(backup), file, signal));
    return await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function joined({ name }: BackupTarget, backup: string): string {
  return `${name.replace(/\/$/, '')}/${backup}`;
}

function summary({ header, tables, rows, bytes }: BackupReport): string {
  return `${rows} rows of ${tables} tables, version ${header.schema}, made at ${header.createdAt}; ${bytes} bytes, complete`;
}

/** Runs `work` with the server's package, which is loaded only now, and puts its errors into words. */
async function inWords(work: (server: Server) => Promise<void>): Promise<void> {
  const [server, { DaemonError }] = await Promise.all([import('@ingot/api-server'), import('@ingot/daemon')]);
  try {
    await work(server);
  } catch (error) {
    if (error instanceof RangeError) throw new CliError(CliErrorCode.Argument, `--database: ${error.message}`, error);
    if (error instanceof server.BackupError || error instanceof server.ApiServerError || error instanceof DaemonError) {
      throw new CliError(CliErrorCode.File, error.message, error);
    }
    throw error;
  }
}
