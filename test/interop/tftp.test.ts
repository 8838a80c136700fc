import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBootServer } from '../support/boot-server.ts';
import { createNamespacePair, SERVER_ADDRESS, type NamespacePair, type Started } from '../support/namespace-pair.ts';

const FILE = 'large.img';

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

describe.each(['native', 'node'] as const)('the %s engine', (engine) => {
  describe.each(LINES)('over %s', (_line, impairment, sizeBytes) => {
    let served: Served;
    beforeAll(async () => {
      served = await serve(await createNamespacePair(impairment), sizeBytes, { engine });
    });
    afterAll(() => served.pair[Symbol.asyncDispose]());

    it('is the one that was asked for', () => {
      expect(served.server.output()).toContain(`"event":"tftp.engine","engine":"${engine}"`);
    });

    it.each(CLIENTS)('serves %s', async (_name, command) => {
      const got = join(served.pair.folder, 'got');
      writeFileSync(got, '');
      await served.pair.run('client', command, 50_000);
      expect(Buffer.compare(readFileSync(got), served.bytes)).toBe(0);
    });
  });
});

it('in single-port mode every packet comes from port 69', async () => {
  await using pair = await createNamespacePair();
  const { bytes } = await serve(pair, 500_000, { singlePort: true });
  const capture = await pair.start('client', ['tcpdump', '-n', '-l', '-i', 'eth0', 'udp'], { ready: /listening on/ });
  await pair.run('client', `atftp -g -r ${FILE} -l got ${SERVER_ADDRESS}`.split(' '));
  expect(Buffer.compare(readFileSync(join(pair.folder, 'got')), bytes)).toBe(0);
  await capture.stop();
  const senders = new Set([...capture.output().matchAll(/IP 10\.9\.0\.1\.(\d+) >/g)].map(([, port]) => port));
  expect([...senders]).toEqual(['69']);
});
