import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mockEntropy, MockClock } from '@ingot/net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuthorityStore, type AuthorityStore } from '../src/tls/authority-store.ts';
import { loadTlsFiles, type TlsFiles } from '../src/tls/tls-files.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let directory: string;
let clock: MockClock;
let authority: AuthorityStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-tls-'));
  clock = new MockClock();
  authority = inMemory(false);
});
afterEach(() => rm(directory, { recursive: true }));

/** The database's part in it. */
function inMemory(shared: boolean): AuthorityStore {
  const secrets = new Map<string, string>();
  return createAuthorityStore(
    {
      get: (name) => Promise.resolve(secrets.get(name)),
      offer: (name, value) => Promise.resolve(secrets.getOrInsert(name, value)),
      put: (name, value) => Promise.resolve(void secrets.set(name, value)),
    },
    shared,
  );
}

let seed = 1;
const load = (...names: string[]): Promise<TlsFiles> =>
  loadTlsFiles({ directory, names, authority, clock, entropy: mockEntropy((seed += 1)) });

describe('the certificates', () => {
  test('are made at the first start: P-256, for the names, signed by an authority that signs nothing else', async () => {
    const files = await load('api.lab', '10.0.0.1', 'fd00::1');
    const ca = new X509Certificate(files.ca);
    const server = new X509Certificate(files.server.cert);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIssued(ca)).toBe(true);
    expect([server.checkHost('api.lab'), server.checkIP('10.0.0.1'), server.checkIP('fd00::1')]).toEqual([
      'api.lab',
      '10.0.0.1',
      'fd00::1',
    ]);
    expect(server.checkHost('other.lab')).toBeUndefined();
    expect([ca.ca, server.ca]).toEqual([true, false]);
    expect(server.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  test('serve again after a restart', async () => {
    const first = await load('api.lab');
    const second = await load('api.lab');
    expect(second.renewed).toBeUndefined();
    expect(second.server).toEqual(first.server);
    expect(second.ca).toBe(first.ca);
  });

  test('are renewed for a new name, by the same authority', async () => {
    const first = await load('api.lab');
    const second = await load('api.lab', '10.0.0.1');
    expect(second.renewed).toBe('it lacks 10.0.0.1');
    expect(second.ca).toBe(first.ca);
    expect(new X509Certificate(second.server.cert).verify(new X509Certificate(first.ca).publicKey)).toBe(true);
    expect((await load('api.lab', '10.0.0.1')).renewed).toBeUndefined();
  });

  test('are renewed when a third of their time is left', async () => {
    await load('api.lab');
    await clock.advance(264 * DAY_MS);
    expect((await load('api.lab')).renewed).toBeUndefined();
    await clock.advance(5 * DAY_MS);
    expect((await load('api.lab')).renewed).toMatch(/^it ends on /);
  });

  test('are renewed when a crash has left the key of another one', async () => {
    const { server } = await load('api.lab');
    await writeFile(join(directory, 'server.key'), (await load('other.lab')).server.key);
    await writeFile(join(directory, 'server.pem'), server.cert);
    expect((await load('api.lab')).renewed).toBe('its key is another one');
  });

  test('that are damaged stop the start, and are not overwritten', async () => {
    await load('api.lab');
    await writeFile(join(directory, 'ca.pem'), 'damaged');
    await expect(load('api.lab')).rejects.toThrow(/cannot use the files in .*restore them from a backup/);
    expect(await readFile(join(directory, 'ca.pem'), 'utf8')).toBe('damaged');
    await rm(join(directory, 'ca.pem'));
    expect((await load('api.lab')).ca).toContain('BEGIN CERTIFICATE');
  });
});

describe('the authority', () => {
  const other = (): string => join(directory, 'other');
  const loadOther = (): Promise<TlsFiles> =>
    loadTlsFiles({ directory: other(), names: ['api2.lab'], authority, clock, entropy: mockEntropy((seed += 1)) });

  test('comes back from the database when the files are gone', async () => {
    const { ca } = await load('api.lab');
    expect((await loadOther()).ca).toBe(ca);
    expect((await load('api.lab')).renewed).toBeUndefined();
  });

  test('is that of the files where they are another one, for an only server', async () => {
    await load('api.lab');
    authority = inMemory(false);
    const { ca } = await loadOther();
    await load('api.lab');
    await rm(other(), { recursive: true });
    expect((await loadOther()).ca).not.toBe(ca);
  });

  test('is the same for all servers that share a database, and no server replaces it', async () => {
    authority = inMemory(true);
    const [first, second] = await Promise.all([load('api.lab'), loadOther()]);
    expect(second.ca).toBe(first.ca);
    expect(await readFile(join(other(), 'ca.pem'), 'utf8')).toBe(first.ca);
    authority = inMemory(true);
    await rm(other(), { recursive: true });
    await loadOther();
    await expect(load('api.lab')).rejects.toThrow('is another one than that of the servers that share the database');
  });

  test('that were made while the clock was ahead are made anew, and an authority of then is told of', async () => {
    const made = await load('api.lab');
    await clock.advance(2 * 365 * DAY_MS);
    const ahead = await load('api.lab');
    expect(ahead.renewed).toContain('it ends on');
    clock.stepWallClock(-365 * DAY_MS);
    const back = await load('api.lab');
    expect(back).toMatchObject({
      ca: made.ca,
      renewed: expect.stringContaining('it begins only on'),
      untrusted: undefined,
    });
    expect(Date.parse(new X509Certificate(back.server.cert).validFrom)).toBeLessThan(clock.now());
    clock.stepWallClock(-3 * 365 * DAY_MS);
    expect((await load('api.lab')).untrusted).toMatch(/its authority begins only on .*Set the clock/);
  });

  test('are not made for good while the clock stands in the past', async () => {
    clock.stepWallClock(-30 * 365 * DAY_MS);
    await expect(load('api.lab')).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      message: expect.stringContaining('set it'),
    });
  });
});
