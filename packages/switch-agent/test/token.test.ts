import { mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, Code } from '@ingot/api';
import { MockClock } from '@ingot/net';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type TokenFile, tokenFile } from '../src/token/token-file.ts';
import { tokenLife } from '../src/token/token-life.ts';
import { startUnitAgent, type UnitKit } from './unit-kit.ts';

const HOUR_S = 3600;
const jwt = (issuedMs: number, lifeS = HOUR_S, more = ''): string => {
  const iat = Math.floor(issuedMs / 1000);
  const payload = Buffer.from(JSON.stringify({ iat, exp: iat + lifeS, more })).toString('base64url');
  return `eyJhbGciOiJFUzUxMiJ9.${payload}.c2lnbmF0dXJl`;
};

/** A token in memory, so that virtual time need not wait for the disk. */
function memoryFile(token: string): TokenFile & { token: string; writable: boolean; failure?: Error | undefined } {
  return {
    path: '/etc/ingot/token',
    token,
    writable: true,
    async read() {
      return this.token;
    },
    async isWritable() {
      return this.writable;
    },
    async replace(fresh) {
      if (this.failure !== undefined) throw this.failure;
      this.token = fresh;
    },
  };
}

function start(lifeS = HOUR_S): UnitKit & { readonly file: ReturnType<typeof memoryFile> } {
  const file = memoryFile(jwt(new MockClock().now(), lifeS));
  const kit = startUnitAgent(({ api, clock }) => {
    api.nextToken = () => jwt(clock.now(), lifeS);
    return { tokenFile: file, periodMs: 60_000 };
  });
  return { ...kit, file };
}

test('tells from a token how long it lives, and takes nothing else for one', () => {
  expect(tokenLife(jwt(5000, 600))).toEqual({ issuedMs: 5000, expiresMs: 605_000 });
  const of = (payload: unknown): string => `a.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.b`;
  for (const other of [
    '',
    'secret',
    'a.b',
    'a.b.c',
    of(null),
    of({ exp: 1 }),
    of({ iat: 2, exp: 1 }),
    of({ iat: 0, exp: 1e300 }),
    of({ iat: '0', exp: '1' }),
  ]) {
    expect(tokenLife(other)).toBeUndefined();
  }
});

test.each([600, HOUR_S, 31_536_000])(
  'a token of %i s is renewed before a quarter of its life is left',
  async (lifeS) => {
    const kit = start(lifeS);
    const first = kit.file.token;
    const day = 86_400_000;
    const advance = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= day) await kit.clock.advance(Math.min(day, left));
    };
    // A year of minutes is too long to wait for, also in virtual time.
    if (lifeS > day / 1000) {
      kit.file.token = jwt(kit.clock.now() - lifeS * 1000 * (2 / 3) + day / 2, lifeS);
      await advance(day / 4);
      expect(kit.api.refreshed).toBe(0);
      await advance(day / 4 + 61_000);
    } else {
      await advance(lifeS * 600);
      expect(kit.file.token).toBe(first);
      await advance(lifeS * 149);
    }
    expect(kit.api.refreshed).toBe(1);
    expect(kit.file.token).not.toBe(first);
    expect(await kit.metrics.text()).toContain(
      `ingot_switch_agent_token_expires_timestamp_seconds ${(tokenLife(kit.file.token)?.expiresMs ?? 0) / 1000}`,
    );
    await kit.agent.stop();
    expect(kit.clock.pendingTimers).toBe(0);
  },
);

test('a token that somebody else has replaced is left alone', async () => {
  const kit = start();
  await kit.clock.advance(30 * 60_000);
  const theirs = jwt(kit.clock.now(), HOUR_S, 'theirs');
  kit.file.token = theirs;
  await kit.clock.advance(30 * 60_000);
  expect([kit.api.refreshed, kit.file.token === theirs]).toEqual([0, true]);
  // While the API is being asked:
  const again = jwt(kit.clock.now(), HOUR_S, 'again');
  kit.api.nextToken = () => {
    kit.file.token = again;
    return 'ours';
  };
  await kit.clock.advance(15 * 60_000);
  expect([kit.api.refreshed, kit.file.token === again]).toEqual([1, true]);
  await kit.agent.stop();
});

test('a renewal that fails is said with the file and the end of the token, and tried again', async () => {
  const kit = start();
  kit.api.failures.set('refreshToken', new ApiError(Code.PermissionDenied, 'it may not'));
  await kit.clock.advance(45 * 60_000);
  expect(kit.api.beats.at(-1)?.error).toBe(
    'token: the token in /etc/ingot/token could not be renewed (it ends 2026-01-01T01:00:00.000Z): it may not',
  );
  const failures = /failures_total\{call="token"\} (\d+)/.exec(await kit.metrics.text())?.[1];
  expect(Number(failures)).toBeGreaterThan(2);
  expect(Number(failures)).toBeLessThan(10);
  kit.api.failures.clear();
  await kit.clock.advance(10 * 60_000);
  expect(kit.api.refreshed).toBe(1);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.agent.stop();
});

test('a token that cannot be written costs the API no second one', async () => {
  const kit = start();
  kit.file.failure = new Error('ENOSPC: no space left on device');
  await kit.clock.advance(50 * 60_000);
  expect(kit.api.beats.at(-1)?.error).toContain('no space left');
  kit.file.failure = undefined;
  await kit.clock.advance(9 * 60_000);
  expect(kit.api.refreshed).toBe(1);
  expect(tokenLife(kit.file.token)?.issuedMs).toBeGreaterThan(Date.UTC(2026, 0, 1));
  await kit.agent.stop();
});

test('a read-only folder is said once, and to the API when it becomes urgent', async () => {
  const kit = start();
  kit.file.writable = false;
  await kit.clock.advance(44 * 60_000);
  expect(kit.log.records.filter(({ msg }) => msg.includes('read-only'))).toHaveLength(1);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.clock.advance(5 * 60_000);
  expect(kit.api.beats.at(-1)?.error).toMatch(/^token: the folder of .* is read-only.*2026-01-01T01:00/);
  expect(kit.log.records.filter(({ msg }) => msg.includes('read-only'))).toHaveLength(2);
  expect(kit.api.refreshed).toBe(0);
  await kit.agent.stop();
});

test('a token of another kind is used as it is', async () => {
  const kit = start();
  kit.file.token = 'secret';
  await kit.clock.advance(3 * 3_600_000);
  expect(kit.api.refreshed).toBe(0);
  expect(kit.api.beats.at(-1)?.error).toBeUndefined();
  await kit.agent.stop();
});

test('the file is replaced whole, for its owner alone, behind a link too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-token-'));
  try {
    const path = join(folder, 'token');
    await writeFile(path, 'old\n', { mode: 0o644 });
    await symlink('token', join(folder, 'link'));
    const file = tokenFile(join(folder, 'link'));
    expect([await file.read(), await file.isWritable()]).toEqual(['old', true]);
    const before = (await stat(path)).ino;
    await file.replace('new');
    expect(await readFile(path, 'utf8')).toBe('new\n');
    const after = await stat(path);
    expect(after.mode & 0o777).toBe(0o600);
    expect(after.ino).not.toBe(before);
    expect((await readdir(folder)).toSorted()).toEqual(['link', 'token']);
    expect(await tokenFile(join(folder, 'none', 'token')).isWritable()).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the unit takes a newer token over at its start, and leaves a renewed one alone', async () => {
  const unit = await readFile(new URL('../../../systemd/ingot-switch-agent.service', import.meta.url), 'utf8');
  const script = /^ExecStartPre=-\+\/bin\/sh -c '([^']+)'$/m.exec(unit.replaceAll('\\\n', ''))?.[1] ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'ingot-token-'));
  try {
    const given = join(folder, 'given');
    const own = join(folder, 'api.token');
    const startUnit = async (): Promise<string> => {
      const text = script.replaceAll('$$', '$').replace('/etc/ingot/switch-agent.token', given);
      await execa('sh', ['-c', text], { env: { STATE_DIRECTORY: folder } });
      return readFile(own, 'utf8').catch(() => 'none');
    };
    const write = async (path: string, token: string, second: number): Promise<void> => {
      await writeFile(path, token);
      await utimes(path, second, second);
    };
    expect(await startUnit()).toBe('none');
    await write(given, 'first', 1000);
    expect(await startUnit()).toBe('first');
    expect((await stat(own)).mode & 0o777).toBe(0o600);
    await write(own, 'renewed', 2000);
    expect(await startUnit()).toBe('renewed');
    await write(given, 'second', 3000);
    expect(await startUnit()).toBe('second');
    await rm(given);
    expect(await startUnit()).toBe('second');
  } finally {
    await rm(folder, { recursive: true });
  }
});
