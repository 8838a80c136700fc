import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startBootServer } from '../support/boot-server.ts';
import type { WayCounts } from '../support/lossy-forwarder.ts';
import { createNamespacePair, SERVER_ADDRESS, type NamespacePair } from '../support/namespace-pair.ts';
import { readPcap } from '../../packages/wire/test/pcap.ts';

const COUNT = 2_000;

/** Numbered datagrams, 4 each millisecond; those that come after all of them go on until it is ended, 50 each second. */
const SENDER = `
const socket = require('node:dgram').createSocket('udp4');
let next = 0;
const send = () => socket.send(String(next++), 9, '${SERVER_ADDRESS}');
const timer = setInterval(() => {
  for (let i = 0; i < 4 && next < ${COUNT}; i += 1) send();
  if (next === ${COUNT}) { clearInterval(timer); setInterval(send, 20); }
}, 1);`;
/** A ring of 16 MB in the kernel: what waits for a processor is not lost, as it is in a socket. */
const RECEIVER = 'tcpdump -i eth0 -n -B 16384 -U -w heard.pcap udp and dst port 9';

/** Only the datagrams shall be frames: no ARP. */
async function quieten(pair: NamespacePair): Promise<void> {
  const mac = await pair.run('server', ['cat', '/sys/class/net/eth0/address']);
  await pair.run('client', [
    'ip',
    'neigh',
    'add',
    SERVER_ADDRESS,
    'lladdr',
    mac.trim(),
    'dev',
    'eth0',
    'nud',
    'permanent',
  ]);
}

interface Passage {
  readonly numbers: readonly number[];
  readonly lost: readonly number[];
  readonly counts: WayCounts;
}

async function passage(impairment: Parameters<typeof createNamespacePair>[0]): Promise<Passage> {
  await using pair = await createNamespacePair(impairment ?? {}, { ipv6: false });
  await quieten(pair);
  const receiver = await pair.start('server', RECEIVER.split(' '), { ready: /listening on/ });
  const sender = await pair.start('client', [process.execPath, '-e', SENDER]);
  const heardSoFar = (): number[] => {
    try {
      const all = readPcap(readFileSync(join(pair.folder, 'heard.pcap')));
      return all.flatMap((one) => (one.kind === 'udp' ? [Number(Buffer.from(one.payload).toString())] : []));
    } catch (error) {
      // Half a record is written.
      if (error instanceof RangeError) return [];
      throw error;
    }
  };
  const last = (): number => Math.max(0, ...heardSoFar());
  while (last() < COUNT) await pause(100);
  // What was sent after the first of those was heard comes behind all that the cable held back.
  const behind = last() + 50;
  while (last() < behind) await pause(100);
  await Promise.all([sender.stop(), receiver.stop()]);
  const numbers = heardSoFar().filter((number) => number < COUNT);
  const heard = new Set(numbers);
  const lost = Array.from({ length: COUNT }, (_, number) => number).filter((number) => !heard.has(number));
  const counts = await pair.cable?.stop();
  if (counts === undefined) throw new Error('the pair has no cable');
  return { numbers, lost, counts: counts.bToA };
}

describe('the lossy forwarder', () => {
  it('loses, doubles and reorders the share of frames that it was told to', async () => {
    const { numbers, lost, counts } = await passage({
      dropPercent: 5,
      duplicatePercent: 1,
      reorderPercent: 1,
      seed: 7,
    });
    expect(counts.overflowed).toBe(0);
    expect(lost.length / COUNT).toBeGreaterThan(0.035);
    expect(lost.length / COUNT).toBeLessThan(0.065);
    const doubled = numbers.length - new Set(numbers).size;
    expect(doubled / COUNT).toBeGreaterThan(0.004);
    expect(doubled / COUNT).toBeLessThan(0.018);
    const overtaken = numbers.filter(
      (number, index) => number < Math.max(0, ...numbers.slice(Math.max(0, index - 200), index)),
    );
    expect(overtaken.length / COUNT).toBeGreaterThan(0.004);
    expect(overtaken.length / COUNT).toBeLessThan(0.03);
  });

  it('loses the same frames with the same seed, and others with another', async () => {
    const first = await passage({ dropPercent: 5, seed: 7 });
    expect(first.lost.length).toBeGreaterThan(0);
    expect((await passage({ dropPercent: 5, seed: 7 })).lost).toEqual(first.lost);
    expect((await passage({ dropPercent: 5, seed: 8 })).lost).not.toEqual(first.lost);
  });

  it('carries everything in order when it is told to impair nothing', async () => {
    const { numbers } = await passage({});
    expect(numbers).toEqual(Array.from({ length: COUNT }, (_, number) => number));
  });

  it('adds its delay to each way', async () => {
    await using pair = await createNamespacePair({ delayUs: 20_000 });
    const startedAt = performance.now();
    // Nobody listens: a refusal takes one round trip, and ARP before it another.
    await pair.run('client', ['curl', '-s', `http://${SERVER_ADDRESS}/`]).catch(() => undefined);
    expect(performance.now() - startedAt).toBeGreaterThan(80);
  });
});

describe('over a cable that loses 5 %, doubles 1 % and reorders 1 %', () => {
  it('atftp and curl fetch files whole from the boot server', async () => {
    await using pair = await createNamespacePair({ dropPercent: 5, duplicatePercent: 1, reorderPercent: 1, seed: 3 });
    const root = join(pair.folder, 'published');
    mkdirSync(root);
    const bytes = randomBytes(1_000_000);
    writeFileSync(join(root, 'loader.efi'), bytes);
    const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    const server = await startBootServer(pair, { tftp: { root } });
    const tftp = [
      'atftp',
      '--option',
      'blksize 1468',
      '--option',
      'windowsize 16',
      '-g',
      '-r',
      'loader.efi',
      '-l',
      'by-tftp',
      SERVER_ADDRESS,
    ];
    await pair.run('client', tftp);
    expect(sha256(readFileSync(join(pair.folder, 'by-tftp')))).toBe(sha256(bytes));
    await pair.run('client', ['curl', '-sSf', '-o', 'by-http', `http://${SERVER_ADDRESS}:8080/boot/loader.efi`]);
    expect(sha256(readFileSync(join(pair.folder, 'by-http')))).toBe(sha256(bytes));
    expect(server.output()).not.toContain('"level":"error"');
    expect((await pair.cable?.stop())?.aToB.dropped).toBeGreaterThan(0);
  });
});
