import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminV2, apiV2, create, createChannel, createClient, durationFromMs, infraV2 } from '@ingot/api';
import {
  createHealth,
  createMetrics,
  loadConfig,
  MemoryLogger,
  Redactor,
  type DaemonContext,
  type RunningDaemon,
} from '@ingot/daemon';
import { systemClock, systemEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { apiServerConfig, runApiServer, type ApiServerConfig } from '../src/index.ts';
import { findOrCreateMachine } from '../src/machine/machine-records.ts';
import { currentSettings } from '../src/reload.ts';
import { machineA, startRig } from './support.ts';

interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly passwordFile: string;
  readonly log: MemoryLogger;
  readonly redactor: Redactor;
  write(password: string): Promise<void>;
  config(yaml?: string): Promise<ApiServerConfig>;
  context(config: ApiServerConfig): DaemonContext<ApiServerConfig>;
}

async function place(): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-superuser-'));
  const passwordFile = join(directory, 'superuser.password');
  const log = new MemoryLogger();
  const redactor = new Redactor([]);
  return {
    directory,
    passwordFile,
    log,
    redactor,
    write: (password) => writeFile(passwordFile, password, { mode: 0o600 }),
    async config(yaml = `superUserPasswordFile: ${passwordFile}`) {
      const file = join(directory, 'config.yaml');
      await writeFile(file, `dataDir: ${directory}/data\nlisten: ["unix:${directory}/api.sock"]\n${yaml}\n`);
      const loaded = await loadConfig(apiServerConfig, { argv: ['--config', file], env: {} });
      if (loaded.kind !== 'config') throw new Error(JSON.stringify(loaded));
      return loaded.config;
    },
    context: (config) => ({
      config,
      log,
      redactor,
      clock: systemClock,
      entropy: systemEntropy,
      metrics: createMetrics(),
      health: createHealth({ clock: systemClock }),
      signal: new AbortController().signal,
      status: () => undefined,
      reload: () => Promise.resolve({ ok: true, taken: [], needsRestart: [] }),
      fail: (error) => {
        throw error;
      },
    }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

async function reload(running: RunningDaemon<ApiServerConfig>, next: ApiServerConfig) {
  if (running.reload === undefined) throw new Error('it cannot reload');
  return running.reload(next);
}

test('a machine is told the password, and a new one after a reload; no log and no audit has it', async () => {
  await using at = await place();
  await at.write('first-secret\n');
  const running = await runApiServer(at.context(await at.config()));
  const [ca, token] = await Promise.all(
    ['tls/ca.pem', 'admin.token'].map((file) => readFile(join(at.directory, 'data', file), 'utf8')),
  );
  const dial = (with_: string) =>
    createChannel({ url: `unix:${at.directory}/api.sock`, ca: ca ?? '', token: with_.trim() });
  const admin = dial(token ?? '');
  const { secret } = await createClient(adminV2.TokenService, admin).create({
    tokenCreateRequest: {
      machineRoles: { [machineA]: apiV2.MachineRole.EDITOR },
      expires: durationFromMs(3_600_000),
    },
  });
  const machine = dial(secret);
  const ask = () => createClient(infraV2.BootService, machine).superUserPassword({ uuid: machineA });
  try {
    // It asks before it registers.
    expect(await ask()).toMatchObject({ featureDisabled: false, superUserPassword: 'first-secret' });
    await at.write('second-secret');
    expect((await ask()).superUserPassword).toBe('first-secret');
    expect(await reload(running, await at.config())).toEqual({ taken: [], needsRestart: [] });
    expect((await ask()).superUserPassword).toBe('second-secret');

    await chmod(at.passwordFile, 0o644);
    await expect(reload(running, await at.config())).rejects.toThrow(/mode 0644 lets others use it; run: chmod 0600/);
    expect((await ask()).superUserPassword).toBe('second-secret');

    const next = await at.config('tls: { names: [other.lab] }');
    expect(await reload(running, next)).toEqual({ taken: ['superUserPasswordFile'], needsRestart: ['tls'] });
    expect(await ask()).toMatchObject({ featureDisabled: true, superUserPassword: '' });

    const { traces } = await createClient(adminV2.AuditService, admin).list({});
    const written = JSON.stringify([traces.map(({ body }) => body), at.log.records]);
    expect(written).not.toMatch(/(?:first|second)-secret/);
    expect(at.redactor.text('a first-secret, a second-secret')).not.toContain('-secret');
  } finally {
    for (const channel of [admin, machine]) channel.close();
    await running.stop();
  }
});

test('a machine that is somebody’s is not told the password', async () => {
  await using rig = await startRig({ superUserPassword: 'first-secret' });
  const { value } = await findOrCreateMachine(rig.plane.stores, machineA, 'lab');
  const token = await rig.mint({ machineRoles: { [machineA]: apiV2.MachineRole.EDITOR } });
  const ask = () => createClient(infraV2.BootService, rig.channel(token)).superUserPassword({ uuid: machineA });
  expect((await ask()).superUserPassword).toBe('first-secret');
  value.allocation = create(apiV2.MachineAllocationSchema, { uuid: machineA, name: 'web' });
  await rig.plane.stores.machines.put(machineA, value);
  expect(await ask()).toMatchObject({ featureDisabled: true, superUserPassword: '' });
});

test.each([
  ['short', 'it has 5 characters, and a BMC takes 6 to 20'],
  ['x'.repeat(21), 'it has 21 characters, and a BMC takes 6 to 20'],
  ['pässword', 'printable ASCII characters only'],
  ['two words', 'printable ASCII characters only'],
  ['', 'it is empty'],
])('a server does not start with the password "%s"', async (password, reason) => {
  await using at = await place();
  await at.write(password);
  const started = currentSettings(at.context(await at.config()));
  await expect(started).rejects.toThrow(reason);
  await expect(started).rejects.toThrow(at.passwordFile);
  if (password !== '') await expect(started).rejects.not.toThrow(password);
});
