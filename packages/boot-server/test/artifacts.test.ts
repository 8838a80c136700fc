import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { MockClock } from '@ingot/net';
import { localFiles } from '../src/artifacts/local-file.ts';
import type { RemoteFetch } from '../src/artifacts/remote-file.ts';
import { createArtifactStore, type ArtifactStore } from '../src/artifacts/store.ts';
import { BootServerErrorCode } from '../src/errors.ts';
import { temporaryFolder } from './harness.ts';

const noRemote: RemoteFetch = () => Promise.reject(new Error('no network here'));

function setup(options: { maxBytes?: number; fetchRemote?: RemoteFetch } = {}): {
  root: string;
  clock: MockClock;
  log: MemoryLogger;
  store: ArtifactStore;
  uri: (name: string, text?: string) => string;
} {
  const root = temporaryFolder();
  const clock = new MockClock();
  const log = new MemoryLogger();
  const { maxBytes = 100, fetchRemote = noRemote } = options;
  const store = createArtifactStore({
    clock,
    log,
    files: localFiles([root]),
    fetchRemote,
    maxBytes,
    signal: new AbortController().signal,
  });
  const uri = (name: string, text?: string): string => {
    if (text !== undefined) writeFileSync(join(root, name), text);
    return pathToFileURL(join(root, name)).href;
  };
  return { root, clock, log, store, uri };
}

const text = async (store: ArtifactStore, uri: string): Promise<string> =>
  Buffer.from((await store.get(uri)).bytes).toString();

describe('local files', () => {
  it('are read once, and again when they change', async () => {
    const { store, uri, log, root } = setup();
    const kernel = uri('vmlinuz', 'one');
    expect(await text(store, kernel)).toBe('one');
    expect(await store.get(kernel)).toBe(await store.get(kernel));
    expect(log.events('artifact.loaded')).toHaveLength(1);
    writeFileSync(join(root, 'vmlinuz'), 'two');
    utimesSync(join(root, 'vmlinuz'), 1, 1);
    expect(await text(store, kernel)).toBe('two');
  });

  it('of many askers are read once', async () => {
    const { store, uri, log } = setup();
    const kernel = uri('vmlinuz', 'one');
    await Promise.all(Array.from({ length: 50 }, () => store.get(kernel)));
    expect(log.events('artifact.loaded')).toHaveLength(1);
  });

  it('have the SHA-256 that other tools compute', async () => {
    const { store, uri } = setup();
    expect((await store.get(uri('abc', 'abc'))).sha256).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('stay within the memory limit: the one unused the longest gives way', async () => {
    const { store, uri, log } = setup();
    const [a, b, c] = [uri('a', 'a'.repeat(40)), uri('b', 'b'.repeat(40)), uri('c', 'c'.repeat(40))];
    await store.get(a);
    await store.get(b);
    await store.get(a);
    await store.get(c);
    expect(store.heldBytes).toBe(80);
    await store.get(a);
    expect(log.events('artifact.loaded')).toHaveLength(3);
    await store.get(b);
    expect(log.events('artifact.loaded')).toHaveLength(4);
  });

  it('larger than the limit are refused', async () => {
    const { store, uri } = setup();
    await expect(store.get(uri('big', 'x'.repeat(101)))).rejects.toMatchObject({
      code: BootServerErrorCode.ArtifactTooLarge,
    });
    expect(store.heldBytes).toBe(0);
  });

  it.each([
    ['outside of the folders', 'file:///etc/passwd'],
    ['of another host', 'file://elsewhere/vmlinuz'],
    ['of another scheme', 'ftp://elsewhere/vmlinuz'],
    ['of no scheme', 'vmlinuz'],
  ])('%s are refused', async (_what, uri) => {
    await expect(setup().store.get(uri)).rejects.toMatchObject({ code: BootServerErrorCode.ArtifactRefused });
  });

  it('behind a link that leads outside, and folders, are refused', async () => {
    const { store, uri, root } = setup();
    symlinkSync('/etc/passwd', join(root, 'link'));
    mkdirSync(join(root, 'folder'));
    await expect(store.get(uri('link'))).rejects.toMatchObject({ code: BootServerErrorCode.ArtifactRefused });
    await expect(store.get(uri('folder'))).rejects.toMatchObject({ code: BootServerErrorCode.ArtifactRefused });
    await expect(store.get(uri('missing'))).rejects.toMatchObject({ code: BootServerErrorCode.ArtifactUnavailable });
  });
});

describe('remote files', () => {
  it('are fetched once by many, looked after once a minute, and served from memory while their server is away', async () => {
    const asked: (string | undefined)[] = [];
    let failure: Error | undefined;
    const { store, clock, log } = setup({
      fetchRemote: (_uri, { etag }) => {
        asked.push(etag);
        if (failure !== undefined) return Promise.reject(failure);
        return Promise.resolve(
          etag === undefined ? { kind: 'body', bytes: Buffer.from('body'), etag: '"1"' } : { kind: 'unchanged' },
        );
      },
    });
    const uri = 'http://images/vmlinuz';
    await Promise.all([store.get(uri), store.get(uri)]);
    expect(asked).toEqual([undefined]);
    await clock.advance(61_000);
    expect(await text(store, uri)).toBe('body');
    expect(asked).toEqual([undefined, '"1"']);
    failure = new Error('away');
    await clock.advance(61_000);
    expect(await text(store, uri)).toBe('body');
    expect(log.events('artifact.stale')).toHaveLength(1);
    await expect(store.get('http://images/other')).rejects.toThrow('away');
  });
});
