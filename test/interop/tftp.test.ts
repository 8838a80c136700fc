import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

async function serve(pair: NamespacePair, sizeBytes: number, tftp: Readonly<Record<string, unknown>>): Promise<Served> {
  const root = join(pair.folder, 'published');
  mkdirSync(root);
  const bytes = randomBytes(sizeBytes);
  writeFileSync(join(root, FILE), bytes);
  return { pair, bytes, server: await startBootServer(pair, { tftp: { root, ...tftp } }) };
}

const IN_TURN = { concurrent: false };
const ENGINES = ['native', 'node'] as const;

// Most of the time is foreign clients' waiting: the servers run side by side, each in namespaces of its own.
describe.concurrent.each(ENGINES)('the %s engine', (engine) => {
  describe.concurrent.each(LINES)('over %s', (_line, impairment, sizeBytes) => {
    let served: Served;
    beforeAll(async () => {
      served = await serve(await createNamespacePair(impairment), sizeBytes, { engine });
    });
    afterAll(() => served.pair[Symbol.asyncDispose]());

    it('is the one that was asked for', IN_TURN, () => {
      expect(served.server.output()).toContain(`"event":"tftp.engine","engine":"${engine}"`);
    });

    it.each(CLIENTS)('serves %s', IN_TURN, async (_name, command) => {
      const got = join(served.pair.folder, 'got');
      writeFileSync(got, '');
      await served.pair.run('client', command, 50_000);
      expect(Buffer.compare(readFileSync(got), served.bytes)).toBe(0);
    });
  });
});

// It has no options and repeats nothing: no client for a bad line.
describe.concurrent.each(ENGINES)('npm’s tftp2 from the %s engine', (engine) => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(await createNamespacePair(), 100_000, { engine });
  });
  afterAll(() => served.pair[Symbol.asyncDispose]());

  it.each(TFTP2_SIZES)('loads a file of %i bytes', IN_TURN, async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    writeFileSync(join(served.pair.folder, 'published', 'tftp2.img'), bytes);
    const got = join(served.pair.folder, 'got');
    await served.pair.run('client', [...TFTP2, 'tftp2.img', got]);
    expect(sha256(readFileSync(got))).toBe(sha256(bytes));
  });

  it('is told that a file is missing', IN_TURN, async () => {
    const { pair, server } = served;
    const fetching = pair.run('client', [...TFTP2, 'missing.img', join(pair.folder, 'none')]);
    await expect(fetching).rejects.toThrow('error 1: no such file is published');
    expect(server.output()).toMatch(/"file":"missing\.img","event":"tftp\.failed","cause":"unknown-file"/);
  });

  it('may vanish: the log says how far it came, and the next is served meanwhile', IN_TURN, async () => {
    const { pair, server, bytes } = served;
    await pair.run('client', [...TFTP2, FILE, join(pair.folder, 'none'), '3']);
    await pair.run('client', [...TFTP2, FILE, join(pair.folder, 'got')]);
    expect(sha256(readFileSync(join(pair.folder, 'got')))).toBe(sha256(bytes));
    // It did not acknowledge its third block.
    const line = /"event":"tftp\.failed","cause":"no-answer","bytes":1024,/;
    await expect.poll(() => server.output(), { timeout: 50_000, interval: 200 }).toMatch(line);
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

it.concurrent('in single-port mode every packet comes from port 69', async () => {
  await using pair = await createNamespacePair();
  const { bytes } = await serve(pair, 500_000, { singlePort: true });
  const capture = await pair.start('client', ['tcpdump', '-n', '-l', '-i', 'eth0', 'udp'], { ready: /listening on/ });
  await pair.run('client', `atftp -g -r ${FILE} -l got ${SERVER_ADDRESS}`.split(' '));
  expect(Buffer.compare(readFileSync(join(pair.folder, 'got')), bytes)).toBe(0);
  await capture.stop();
  const senders = new Set([...capture.output().matchAll(/IP 10\.9\.0\.1\.(\d+) >/g)].map(([, port]) => port));
  expect([...senders]).toEqual(['69']);
});
