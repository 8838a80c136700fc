import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startBootServer } from '../support/boot-server.ts';
import { createNamespacePair, SERVER_ADDRESS, type NamespacePair, type Started } from '../support/namespace-pair.ts';

const FILE = 'large.img';
const TFTP2 = [process.execPath, fileURLToPath(new URL('tftp2-main.ts', import.meta.url)), SERVER_ADDRESS];

/** Foreign clients: each fetches `FILE` into `got`. */
const CLIENTS: readonly (readonly [name: string, command: readonly string[]])[] = [
  [
    'atftp in windows',
    ['atftp', '--option', 'blksize 1468', '--option', 'windowsize 16', '-g', '-r', FILE, '-l', 'got', SERVER_ADDRESS],
  ],
  ['atftp in lockstep of 512', `atftp -g -r ${FILE} -l got ${SERVER_ADDRESS}`.split(' ')],
  ['tftp-hpa', `tftp -m binary ${SERVER_ADDRESS} -c get ${FILE} got`.split(' ')],
  ['busybox', `busybox tftp -b 1400 -g -r ${FILE} -l got ${SERVER_ADDRESS}`.split(' ')],
  ['curl', `curl -s --tftp-blksize 1468 -o got tftp://${SERVER_ADDRESS}/${FILE}`.split(' ')],
];

const BAD_LINE = { dropPercent: 5, duplicatePercent: 1, reorderPercent: 1, seed: 3 };
const LINES = [
  ['a good line', {}, 2_000_000],
  // curl and busybox wait for seconds before they repeat an ACK.
  ['a line that loses one packet in twenty, doubles and reorders', BAD_LINE, 20_000],
] as const;

/** Bytes: the last block is short, empty (RFC 1350 §6), or the only one. */
const TFTP2_SIZES = [300_001, 512 * 1024, 0];

interface Served {
  readonly pair: NamespacePair;
  readonly bytes: Buffer;
  readonly server: Started;
}

async function serve(
  pair: NamespacePair,
  sizeBytes: number,
  tftp: Readonly<Record<string, unknown>>,
  change: Readonly<Record<string, unknown>> = {},
): Promise<Served> {
  const root = join(pair.folder, 'published');
  mkdirSync(root);
  const bytes = randomBytes(sizeBytes);
  writeFileSync(join(root, FILE), bytes);
  try {
    return { pair, bytes, server: await startBootServer(pair, { tftp: { root, ...tftp }, ...change }) };
  } catch (error) {
    await pair[Symbol.asyncDispose]();
    throw error;
  }
}

const IN_TURN = { concurrent: false };
const SOON = { timeout: 60_000, interval: 200 };
const ENGINES = ['native', 'node'] as const;

describe.each(ENGINES)('the %s engine', (engine) => {
  // Most of the time is foreign clients' waiting: the two lines are side by side. `expect.poll` is of no use there: it does
  // not know then in which test it is.
  describe.concurrent.each(LINES)('over %s', (_line, impairment, sizeBytes) => {
    let served: Served;
    beforeAll(async () => {
      served = await serve(await createNamespacePair(impairment), sizeBytes, { engine });
      return () => served.pair[Symbol.asyncDispose]();
    });

    it('is the one that was asked for', IN_TURN, () => {
      expect(served.server.output()).toContain(`"event":"tftp.engine","engine":"${engine}"`);
    });

    it.each(CLIENTS)('serves %s', IN_TURN, async (_name, command) => {
      const got = join(served.pair.folder, 'got');
      writeFileSync(got, '');
      await served.pair.run('client', command, 150_000);
      expect(Buffer.compare(readFileSync(got), served.bytes)).toBe(0);
    });

    // It has no options and repeats nothing: no client for a bad line.
    if (impairment !== BAD_LINE) {
      describe('npm’s tftp2', () => {
        it.each(TFTP2_SIZES)('loads a file of %i bytes', IN_TURN, async (bytesInFile) => {
          const bytes = randomBytes(bytesInFile);
          const published = join(served.pair.folder, 'published', 'tftp2.img');
          // Renamed: of one that is written over the copy at hand is served until it rests.
          writeFileSync(`${published}.new`, bytes);
          renameSync(`${published}.new`, published);
          const got = join(served.pair.folder, 'got');
          await served.pair.run('client', [...TFTP2, 'tftp2.img', got]);
          expect(sha256(readFileSync(got))).toBe(sha256(bytes));
        });

        it('is told that a file is missing', IN_TURN, async () => {
          const { pair, server } = served;
          const fetching = pair.run('client', [...TFTP2, 'missing.img', join(pair.folder, 'none')]);
          await expect(fetching).rejects.toThrow('error 1: no such file is published');
          const line = /"file":"missing\.img","event":"tftp\.failed","cause":"unknown-file"/;
          await vi.waitFor(() => expect(server.output()).toMatch(line), SOON);
        });

        it('may vanish: the log says how far it came, and the next is served meanwhile', IN_TURN, async () => {
          const { pair, server } = served;
          await pair.run('client', [...TFTP2, FILE, join(pair.folder, 'none'), '3']);
          await pair.run('client', [...TFTP2, FILE, join(pair.folder, 'got')]);
          expect(sha256(readFileSync(join(pair.folder, 'got')))).toBe(sha256(served.bytes));
          // It did not acknowledge its third block.
          const line = /"event":"tftp\.failed","cause":"no-answer","bytes":1024,/;
          await vi.waitFor(() => expect(server.output()).toMatch(line), SOON);
        });
      });
    }
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

it.each(ENGINES)('in single-port mode of the %s engine every packet comes from port 69', async (engine) => {
  await using pair = await createNamespacePair();
  chmodSync(pair.folder, 0o755);
  // As one who may bind low ports, and nothing else.
  const { bytes, server } = await serve(pair, 500_000, { singlePort: true, engine }, { runAs: 'nobody' });
  expect(server.output()).toContain(`"event":"tftp.engine","engine":"${engine}"`);
  const capture = await pair.start('client', ['tcpdump', '-n', '-l', '-i', 'eth0', 'udp'], { ready: /listening on/ });
  const fetch = (name: string, into: string): Promise<string> =>
    pair.run('client', `atftp -g -r ${name} -l ${into} ${SERVER_ADDRESS}`.split(' '));
  // One after the other, and two at once: the second one's request comes where the first one's ACKs do.
  await fetch(FILE, 'got-0');
  await Promise.all([fetch(FILE, 'got-1'), fetch(FILE, 'got-2')]);
  for (const got of ['got-0', 'got-1', 'got-2'])
    expect(Buffer.compare(readFileSync(join(pair.folder, got)), bytes)).toBe(0);
  // Made for the client, and in no file that the thread could send from.
  await fetch('autoexec.ipxe', 'script');
  expect(readFileSync(join(pair.folder, 'script'), 'utf8')).toMatch(/^#!ipxe/);
  await expect(fetch('missing', 'none')).rejects.toThrow('no such file is published');
  await capture.stop();
  const senders = new Set([...capture.output().matchAll(/IP 10\.9\.0\.1\.(\d+) >/g)].map(([, port]) => port));
  expect([...senders]).toEqual(['69']);
});
