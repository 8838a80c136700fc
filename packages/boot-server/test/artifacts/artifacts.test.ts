import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  fstatSync,
  mkdirSync,
  readSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { array, assert, boolean, nat, property, uint8Array } from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { loadLibc, MockClock, type Libc } from '@ingot/net';
import type { Artifact } from '../../src/artifacts/artifact.ts';
import { contentMemory, type ContentWriter } from '../../src/artifacts/content.ts';
import { localFiles, type LocalFiles } from '../../src/artifacts/local-file.ts';
import type { RemoteFetch } from '../../src/artifacts/remote-file.ts';
import { createArtifactStore, type ArtifactStore } from '../../src/artifacts/store.ts';
import { BootServerError, BootServerErrorCode } from '../../src/errors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const noRemote: RemoteFetch = () => Promise.reject(new Error('no network here'));

const LIBC = await loadLibc();

interface Setup {
  readonly root: string;
  readonly clock: MockClock;
  readonly log: MemoryLogger;
  readonly store: ArtifactStore;
  readonly uri: (name: string, text?: string) => string;
}

function setup(
  options: { maxBytes?: number; fetchRemote?: RemoteFetch; libc?: Libc | undefined; files?: LocalFiles } = {},
): Setup {
  const root = temporaryFolder();
  const clock = new MockClock();
  const log = new MemoryLogger();
  const { maxBytes = 100, fetchRemote = noRemote } = options;
  const store = createArtifactStore({
    clock,
    log,
    files: options.files ?? localFiles([root]),
    fetchRemote,
    memory: contentMemory('libc' in options ? options.libc : LIBC),
    maxBytes,
    signal: new AbortController().signal,
  });
  onTestFinished(() => store.close());
  const uri = (name: string, body?: string): string => {
    if (body !== undefined) writeFileSync(join(root, name), body);
    return pathToFileURL(join(root, name)).href;
  };
  return { root, clock, log, store, uri };
}

const textOf = (artifact: Artifact): string => Buffer.from(artifact.read(0, artifact.sizeBytes)).toString();

async function text(store: ArtifactStore, uri: string): Promise<string> {
  using artifact = await store.get(uri);
  return textOf(artifact);
}

/** Loads it for the next request, and lets go of it. */
async function touch(store: ArtifactStore, uri: string): Promise<string> {
  using artifact = await store.get(uri);
  return artifact.sha256;
}

function written(writer: ContentWriter, body: string): ReturnType<ContentWriter['finish']> {
  writer.write(Buffer.from(body));
  return writer.finish();
}

describe('local files', () => {
  it('are read once, and again when they change', async () => {
    const { store, uri, log, root } = setup();
    const kernel = uri('vmlinuz', 'one');
    expect(await text(store, kernel)).toBe('one');
    expect(await text(store, kernel)).toBe('one');
    expect(log.events('artifact.loaded')).toHaveLength(1);
    writeFileSync(join(root, 'vmlinuz'), 'two');
    utimesSync(join(root, 'vmlinuz'), 1, 1);
    expect(await text(store, kernel)).toBe('two');
  });

  it('are served as they were while they are written over, and as they are when that is over', async () => {
    const { store, uri, root, clock } = setup();
    const path = join(root, 'initrd');
    const initrd = uri('initrd', 'the old one');
    const writtenAt = (ms: number): void => utimesSync(path, ms / 1_000, ms / 1_000);
    writtenAt(clock.now() - 60_000);
    expect(await text(store, initrd)).toBe('the old one');
    writeFileSync(path, 'the new');
    writtenAt(clock.now());
    expect(await text(store, initrd)).toBe('the old one');
    await clock.advance(1_500);
    appendFileSync(path, ' one');
    writtenAt(clock.now());
    expect(await text(store, initrd)).toBe('the old one');
    // Who wants a certain one is not told that the old one is all there is.
    const sha256 = createHash('sha256').update('the new one').digest('hex');
    const wanted = await store.get(initrd, { sha256 });
    expect(textOf(wanted)).toBe('the new one');
    wanted.release();
    writeFileSync(path, 'the newest');
    writtenAt(clock.now());
    await clock.advance(2_000);
    expect(await text(store, initrd)).toBe('the newest');
  });

  it('that took the name of another are served at once', async () => {
    const { store, uri, root, clock } = setup();
    const initrd = uri('initrd', 'the old one');
    expect(await text(store, initrd)).toBe('the old one');
    uri('beside', 'the new one');
    utimesSync(join(root, 'beside'), clock.now() / 1_000, clock.now() / 1_000);
    renameSync(join(root, 'beside'), join(root, 'initrd'));
    expect(await text(store, initrd)).toBe('the new one');
  });

  it.each([
    ['ESTALE', 'served'],
    ['EIO', 'served'],
    ['ENOENT', 'missing'],
    ['EACCES', 'missing'],
  ])('behind %s are %s, once they are in memory', async (code, outcome) => {
    const root = temporaryFolder();
    const real = localFiles([root]);
    const state = { isBroken: false };
    const files: LocalFiles = {
      ...real,
      version: (path) => {
        if (!state.isBroken) return real.version(path);
        const cause = Object.assign(new Error(code), { code });
        return Promise.reject(new BootServerError(BootServerErrorCode.ArtifactUnavailable, 'cannot read it', cause));
      },
    };
    const { store, log } = setup({ files });
    writeFileSync(join(root, 'vmlinuz'), 'a kernel');
    const kernel = pathToFileURL(join(root, 'vmlinuz')).href;
    expect(await text(store, kernel)).toBe('a kernel');
    state.isBroken = true;
    expect(await text(store, kernel).catch(() => 'missing')).toBe(outcome === 'served' ? 'a kernel' : 'missing');
    expect(log.events('artifact.stale')).toHaveLength(outcome === 'served' ? 1 : 0);
  });

  it('of many askers are read once', async () => {
    const { store, uri, log } = setup();
    const kernel = uri('vmlinuz', 'one');
    await Promise.all(Array.from({ length: 50 }, () => touch(store, kernel)));
    expect(log.events('artifact.loaded')).toHaveLength(1);
  });

  it('have the SHA-256 that other tools compute', async () => {
    const { store, uri } = setup();
    expect(await touch(store, uri('abc', 'abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('stay within the memory limit: the one unused the longest gives way', async () => {
    const { store, uri, log } = setup();
    const [a, b, c] = [uri('a', 'a'.repeat(40)), uri('b', 'b'.repeat(40)), uri('c', 'c'.repeat(40))];
    await touch(store, a);
    await touch(store, b);
    await touch(store, a);
    await touch(store, c);
    expect(store.heldBytes).toBe(80);
    await touch(store, a);
    expect(log.events('artifact.loaded')).toHaveLength(3);
    await touch(store, b);
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

  it('that are no files, and would be waited for, are refused at once', async () => {
    const { store, uri, root } = setup();
    execFileSync('mkfifo', [join(root, 'fifo')]);
    await expect(store.get(uri('fifo'))).rejects.toMatchObject({ code: BootServerErrorCode.ArtifactRefused });
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

describe.each([
  ['in a memfd', LIBC],
  ['in a Buffer', undefined],
])('content %s', (_where, libc) => {
  it('is what was written, whatever the pieces, and says its size and hash', () => {
    assert(
      property(
        array(uint8Array({ maxLength: 300 })),
        boolean(),
        nat(400),
        nat(400),
        (parts, isSizeKnown, position, length) => {
          const whole = Buffer.concat(parts);
          const writer = contentMemory(libc).create(isSizeKnown ? whole.byteLength : undefined);
          for (const part of parts) writer.write(part);
          const content = writer.finish();
          try {
            expect(content.sizeBytes).toBe(whole.byteLength);
            expect(content.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
            expect(Buffer.from(content.read(position, length))).toEqual(whole.subarray(position, position + length));
          } finally {
            content.close();
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('stays with who holds it when its file changes and the store gives it up', async () => {
    const { store, uri } = setup({ libc });
    const kernel = uri('vmlinuz', 'one');
    const old = await store.get(kernel);
    uri('vmlinuz', 'three');
    expect(await text(store, kernel)).toBe('three');
    store.close();
    expect(textOf(old)).toBe('one');
    expect(store.heldBytes).toBe(3);
    const second = old.retain();
    old.release();
    old.release();
    expect(textOf(second)).toBe('one');
    second.release();
    expect(store.heldBytes).toBe(0);
    expect(() => second.read(0, 1)).toThrow('after its release');
    expect(() => second.fd).toThrow('after its release');
  });

  it('that is being sent is not given up for another; what finds no room is refused', async () => {
    const { store, uri } = setup({ libc });
    const [a, b, c] = [uri('a', 'a'.repeat(40)), uri('b', 'b'.repeat(40)), uri('c', 'c'.repeat(40))];
    const first = await store.get(a);
    const second = await store.get(b);
    await expect(store.get(c)).rejects.toMatchObject({ code: BootServerErrorCode.ArtifactNoRoom });
    expect(store.heldBytes).toBe(80);
    second.release();
    expect(await text(store, c)).toBe('c'.repeat(40));
    expect(textOf(first)).toBe('a'.repeat(40));
    expect(store.heldBytes).toBe(80);
    first.release();
  });

  it('of a file that is written while it is read is read again, and given up when that goes on', async () => {
    const { uri, root } = setup();
    uri('growing', 'x');
    const files = localFiles([root]);
    let opened = 0;
    const memory = contentMemory(libc);
    const open = (until: number) => (sizeBytes: number) => {
      opened += 1;
      if (opened <= until) appendFileSync(join(root, 'growing'), 'y');
      return memory.create(sizeBytes);
    };
    const { content } = await files.read(join(root, 'growing'), open(2));
    expect(Buffer.from(content.read(0, 10)).toString()).toBe('xyy');
    content.close();
    await expect(files.read(join(root, 'growing'), open(99))).rejects.toMatchObject({
      code: BootServerErrorCode.ArtifactUnavailable,
    });
    expect(opened).toBe(6);
  });

  it('with another hash than is asked for is refused, and with the right one given', async () => {
    const { store, uri } = setup({ libc });
    const kernel = uri('vmlinuz', 'abc');
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const artifact = await store.get(kernel, { sha256: sha256.toUpperCase() });
    artifact.release();
    await expect(store.get(kernel, { sha256: sha256.replace('b', 'c') })).rejects.toMatchObject({
      code: BootServerErrorCode.ArtifactMismatch,
    });
  });

  it('is claimed from the memory limit while it arrives, and given back when it fails', async () => {
    const part = Buffer.alloc(60);
    const { store } = setup({
      libc,
      fetchRemote: (uri, { openWriter }) => {
        const writer = openWriter(undefined);
        try {
          writer.write(part);
          if (uri.endsWith('broken')) throw new Error('broken off');
          writer.write(part);
          return Promise.resolve({ kind: 'body', content: writer.finish(), etag: undefined });
        } catch (error) {
          writer.discard();
          return Promise.reject(error);
        }
      },
    });
    await expect(store.get('http://images/broken')).rejects.toThrow('broken off');
    await expect(store.get('http://images/large')).rejects.toMatchObject({
      code: BootServerErrorCode.ArtifactTooLarge,
    });
    expect(store.heldBytes).toBe(0);
  });
});

describe.runIf(LIBC !== undefined)('a memfd', () => {
  it('can be read by its number, and by nobody be changed', async () => {
    const { store, uri } = setup();
    using artifact = await store.get(uri('vmlinuz', 'the kernel'));
    const fd = artifact.fd ?? -1;
    expect(fstatSync(fd).size).toBe(10);
    const bytes = Buffer.alloc(6);
    readSync(fd, bytes, 0, 6, 4);
    expect(bytes.toString()).toBe('kernel');
    expect(() => writeSync(fd, 'x', 0)).toThrow('EPERM');
  });

  it('is closed with the last hold', async () => {
    const { store, uri } = setup();
    const artifact = await store.get(uri('vmlinuz', 'the kernel'));
    const fd = artifact.fd ?? -1;
    store.close();
    expect(fstatSync(fd).size).toBe(10);
    artifact.release();
    expect(() => fstatSync(fd)).toThrow('EBADF');
  });
});

describe('remote files', () => {
  it('are fetched once by many, looked after once a minute, and served from memory while their server is away', async () => {
    const asked: (string | undefined)[] = [];
    let failure: Error | undefined;
    const { store, clock, log } = setup({
      fetchRemote: (_uri, { etag, openWriter }) => {
        asked.push(etag);
        if (failure !== undefined) return Promise.reject(failure);
        return Promise.resolve(
          etag === undefined
            ? { kind: 'body', content: written(openWriter(4), 'body'), etag: '"1"' }
            : { kind: 'unchanged' },
        );
      },
    });
    const uri = 'http://images/vmlinuz';
    await Promise.all([touch(store, uri), touch(store, uri)]);
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

  it('whose hash is asked for are looked after at once when the copy at hand has another', async () => {
    let body = 'old';
    const { store } = setup({
      fetchRemote: (_uri, { openWriter }) =>
        Promise.resolve({ kind: 'body', content: written(openWriter(undefined), body), etag: undefined }),
    });
    await touch(store, 'http://images/vmlinuz');
    body = 'abc';
    using artifact = await store.get('http://images/vmlinuz', {
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
    expect(textOf(artifact)).toBe('abc');
  });
});
