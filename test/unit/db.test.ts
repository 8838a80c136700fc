// `ingot db` on the database of a running API server.
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiV2, create } from '@ingot/api';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock, systemEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { createBackupJob } from '../../packages/api-server/src/backup/backup-job.ts';
import { backupSchema } from '../../packages/api-server/src/backup/settings.ts';
import { inDirectory, key } from '../../packages/api-server/test/backup/kit.ts';
import { accessKeyId, region, secretAccessKey, startS3 } from '../../packages/api-server/test/backup/s3-stand-in.ts';
import { machineA, startRig, until, type Rig } from '../../packages/api-server/test/support.ts';
import { runCli } from '../../packages/cli/src/cli.ts';
import type { CliIo } from '../../packages/cli/src/io.ts';

interface Answer {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function ingot(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  parts: Pick<CliIo, 'onInterrupt'> = {},
): Promise<Answer> {
  let stdout = '';
  let stderr = '';
  const status = await runCli(argv, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    env,
    home: '/nonexistent',
    labConfigFile: '/nonexistent',
    now: () => Date.now(),
    ...parts,
  });
  return { status, stdout, stderr };
}

async function keyFileIn(directory: string): Promise<string> {
  const file = join(directory, 'key');
  await writeFile(file, key.toString('base64'), { mode: 0o600 });
  return file;
}

test('a backup that Ctrl-C stops leaves nothing', () =>
  inDirectory(async (directory) => {
    await using rig = await startRig();
    const place = join(directory, 'backups');
    const onInterrupt = (stop: () => void): Disposable => {
      stop();
      return { [Symbol.dispose]: () => {} };
    };
    const stopped = await ingot(['db', 'backup', place, databaseOf(rig)], {}, { onInterrupt });
    expect(stopped).toEqual({ status: 130, stdout: '', stderr: 'ingot: stopped: no backup was made\n' });
    expect(await readdir(place)).toEqual([]);
  }));

const databaseOf = (rig: Rig): string => `--database=sqlite:${join(rig.dataDir, 'api.sqlite')}`;

test('a running server is backed up, and its data is restored, listed and checked', () =>
  inDirectory(async (directory) => {
    await using rig = await startRig();
    await rig.plane.stores.machines.put(machineA, create(apiV2.MachineSchema, { uuid: machineA, rack: 'rack07' }));
    const [place, keyFile] = [join(directory, 'backups'), await keyFileIn(directory)];
    const first = await ingot(['db', 'backup', place, databaseOf(rig), '--key-file', keyFile]);
    expect(first).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^\d+ rows of \d+ tables, .* complete\n$/),
    });
    const second = await ingot(['db', 'backup', place, databaseOf(rig), '--keep=1']);
    expect(second.stderr).toMatch(/; removed ingot-\S+\nIt is not encrypted/);
    const third = await ingot(['db', 'backup', place, databaseOf(rig), '--key-file', keyFile]);
    const backup = third.stdout.trim();
    expect((await ingot(['db', 'ls', place])).stdout).toBe(second.stdout + third.stdout);
    expect((await ingot(['db', 'verify', backup, '--key-file', keyFile])).status).toBe(0);

    const restored = join(directory, 'restored', 'api.sqlite');
    const restore = () => ingot(['db', 'restore', backup, `--database=sqlite:${restored}`, '--key-file', keyFile]);
    expect(await restore()).toMatchObject({ status: 0, stdout: expect.stringContaining('restored ') });
    await using again = await startRig({ database: { dialect: 'sqlite', path: restored } });
    expect((await again.plane.stores.machines.need(machineA)).value.rack).toBe('rack07');
    // Agents know the server again, and the admin's token, made before the backup, is good at the restored server.
    expect(again.ca).toBe(rig.ca);
    const admin = (await readFile(rig.plane.adminTokenFile, 'utf8')).trim();
    const { createClient, adminV2 } = await import('@ingot/api');
    const { machines } = await createClient(adminV2.MachineService, again.channel(admin)).list({});
    expect(machines).toHaveLength(1);
    expect(await restore()).toMatchObject({ status: 1, stderr: expect.stringContaining('move it away') });
  }));

test('a damaged backup, a missing key, and a password on the command line are refused in words', () =>
  inDirectory(async (directory) => {
    await using rig = await startRig();
    const keyFile = await keyFileIn(directory);
    const backup = (await ingot(['db', 'backup', directory, databaseOf(rig), '--key-file', keyFile])).stdout.trim();
    const refused = async (...argv: string[]): Promise<string> => {
      const answer = await ingot(['db', ...argv]);
      expect([answer.status === 0, answer.stdout]).toEqual([false, '']);
      return answer.stderr;
    };
    const restored = `--database=sqlite:${join(directory, 'r.sqlite')}`;
    expect(await refused('restore', backup, restored)).toContain('this backup is encrypted');
    const bytes = await readFile(backup);
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
    await writeFile(backup, bytes);
    expect(await refused('restore', backup, restored, '--key-file', keyFile)).toContain('take another one');
    await chmod(keyFile, 0o644);
    expect(await refused('verify', backup, '--key-file', keyFile)).toContain('chmod 0600');
    const password = await refused('backup', directory, '--database=postgres://api:hunter22@db.lab/ingot');
    expect(password).toContain('--database: leave the password out');
    expect(password).not.toContain('hunter22');
    expect(await refused('backup', 'relative', databaseOf(rig))).toContain('is no place for backups');
    expect(await refused('backup', 's3://racks', databaseOf(rig))).toContain('needs an access key');
    expect(await refused('backup', directory, databaseOf(rig), '--keep=0')).toContain('a number from 1');
  }));

test('backups go to S3 and come from there', () =>
  inDirectory(async (directory) => {
    await using rig = await startRig();
    await using store = await startS3();
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL: store.endpoint,
    };
    const made = await ingot(['db', 'backup', 's3://racks/lab', databaseOf(rig)], env);
    expect(made.stdout).toMatch(/^s3:\/\/racks\/lab\/ingot-\S+\.backup\n$/);
    const restored = `--database=sqlite:${join(directory, 'r.sqlite')}`;
    expect((await ingot(['db', 'restore', made.stdout.trim(), restored], env)).status).toBe(0);
    expect(store.refused).toEqual([]);
  }));

test('the server makes backups by itself when the newest is old enough, whoever has made that', () =>
  inDirectory(async (directory) => {
    await using rig = await startRig();
    const clock = new MockClock();
    const log = new MemoryLogger();
    const settings = backupSchema.parse({ to: join(directory, 'backups'), everyMinutes: 30, keep: 2 });
    if (settings === undefined) throw new Error('no settings');
    const location = { dialect: 'sqlite', path: join(rig.dataDir, 'api.sqlite') } as const;
    const { job, newestAt } = await createBackupJob({
      settings,
      location,
      clock,
      entropy: systemEntropy,
      log,
      redactor: { add: () => undefined },
    });
    const written = (): unknown[] =>
      log.records.filter(({ fields }) => fields['event'] === 'backup.written').map(({ fields }) => fields['name']);
    for (let minute = 0; minute < 91; minute += 1) {
      await job.run(new AbortController().signal);
      await clock.advance(60_000);
    }
    expect(written()).toEqual(
      [0, 30, 60, 90].map((minute) =>
        expect.stringContaining(`T0${Math.floor(minute / 60)}${minute % 60 === 0 ? '00' : '30'}`),
      ),
    );
    expect(newestAt()).toBe(clock.now() - 60_000);
    expect((await ingot(['db', 'ls', settings.to])).stdout.trim().split('\n')).toHaveLength(2);
    const stop = AbortSignal.abort(new Error('this server stops'));
    await clock.advance(3_600_000);
    await expect(job.run(stop)).rejects.toThrow();
    expect((await ingot(['db', 'ls', settings.to])).stdout.trim().split('\n')).toHaveLength(2);
    await until(() => written().length === 4);
    await rm(settings.to, { recursive: true });
  }));
