import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { decodeTftp, tftpAck, tftpError, tftpReadRequest } from '@ingot/wire';
import type { TftpEngine } from '../../src/tftp/engine.ts';
import { nativeEngine } from '../../src/tftp/native/engine.ts';
import { nodeEngine } from '../../src/tftp/node-engine.ts';
import { Bench, clock, libc, network, noise, neverEngine } from './engine-lab.ts';

const LOCKSTEP = { blksize: 512, windowsize: 1, timeoutMs: 10_000, accepted: [] };

// Within functions TypeScript forgets what it knows of an import.
const native = libc;
const nativeEngines =
  native === undefined
    ? []
    : [false, true].map(
        (singlePort) =>
          [
            singlePort ? 'native single-port' : 'native',
            (): TftpEngine =>
              nativeEngine({
                libc: native,
                clock,
                log: new MemoryLogger(),
                singlePort,
                fallback: neverEngine('the fallback is used'),
              }),
          ] as const,
      );
const engines: readonly (readonly [string, () => TftpEngine])[] = [
  ['node', () => nodeEngine({ network, clock, singlePort: false })],
  ...nativeEngines,
];

describe.each(engines)('the %s engine', (_name, make) => {
  let bench: Bench;
  beforeAll(async () => {
    const engine = make();
    const listener = await network.bindUdp({ address: '127.0.0.1', port: 0, reuseAddress: engine.sharesPort });
    bench = new Bench(engine, listener);
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  it.each([
    ['in lockstep', 512, 1, 10_000],
    ['in windows', 1_468, 16, 200_001],
    ['in windows larger than one message of the kernel', 1_468, 64, 500_000],
    ['in windows of large blocks', 8_192, 8, 500_000],
    ['that fills its last block', 512, 4, 512 * 9],
    ['of one byte', 512, 4, 1],
    ['of none', 512, 1, 0],
  ])('sends a file %s', async (_how, blksize, windowsize, length) => {
    const client = await bench.client({ blksize, windowsize });
    const bytes = noise(length);
    const transfer = await bench.start(client, bytes);
    expect(await transfer.ended).toEqual({ end: { kind: 'done', confirmed: true }, bytes: length, retransmissions: 0 });
    expect(Buffer.compare(client.bytes, bytes)).toBe(0);
  });

  it.each([
    ['loss', { loss: 0.1 }],
    ['duplicates', { duplicate: 0.3 }],
    ['both', { loss: 0.1, duplicate: 0.2 }],
  ])('sends a file whole through %s, in lockstep and in windows', async (_what, impairment) => {
    for (const windowsize of [1, 8]) {
      const client = await bench.client({ windowsize, timeoutMs: 50, ...impairment });
      const bytes = noise(15_000);
      const transfer = await bench.start(client, bytes);
      const { end } = await transfer.ended;
      expect(end.kind).toBe('done');
      expect(Buffer.compare(client.bytes, bytes)).toBe(0);
    }
  });

  it('sends no block twice for an ACK that comes twice', async () => {
    const client = await bench.client({ silent: true });
    const transfer = await bench.start(client, noise(5_000), { terms: LOCKSTEP });
    for (let block = 1; block <= 10; block += 1) {
      await client.hears(block);
      client.send(tftpAck(block));
      client.send(tftpAck(block));
    }
    expect((await transfer.ended).end).toEqual({ kind: 'done', confirmed: true });
    expect(client.heard.map((packet) => packet.kind === 'data' && packet.block)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it('starts a new window behind the block that is acknowledged', async () => {
    const client = await bench.client({ silent: true, windowsize: 4 });
    const transfer = await bench.start(client, noise(512 * 20), { terms: { ...LOCKSTEP, windowsize: 4 } });
    await client.hears(4);
    client.send(tftpAck(2));
    await client.hears(8);
    expect(client.heard.map((packet) => packet.kind === 'data' && packet.block)).toEqual([1, 2, 3, 4, 3, 4, 5, 6]);
    transfer.stop();
    await transfer.ended;
  });

  it('goes on past 65535 blocks, whose numbers start again at 0', async () => {
    const client = await bench.client({ blksize: 8, windowsize: 64 });
    const bytes = noise(65_600 * 8 + 3);
    const transfer = await bench.start(client, bytes, {
      terms: { blksize: 8, windowsize: 64, timeoutMs: undefined, accepted: [] },
    });
    expect((await transfer.ended).end).toEqual({ kind: 'done', confirmed: true });
    expect(Buffer.compare(client.bytes, bytes)).toBe(0);
  }, 30_000);

  it('sends the OACK first, again while nobody answers, and then the file', async () => {
    const client = await bench.client({ silent: true });
    const transfer = await bench.start(client, noise(100), {
      terms: { ...LOCKSTEP, timeoutMs: 50, accepted: [{ name: 'tsize', value: '100' }] },
    });
    await client.hears(2);
    expect(client.heard.slice(0, 2).map(({ kind }) => kind)).toEqual(['oack', 'oack']);
    client.send(tftpAck(0));
    const answered = client.heard.length;
    await client.hears(answered + 1);
    client.send(tftpAck(1));
    expect((await transfer.ended).end).toEqual({ kind: 'done', confirmed: true });
    expect(client.heard.at(-1)).toMatchObject({ kind: 'data', block: 1 });
  });

  it('gives a silent client up and tells it', async () => {
    const client = await bench.client({ silent: true, timeoutMs: 50 });
    const transfer = await bench.start(client, noise(5_000));
    expect(await transfer.ended).toMatchObject({
      end: { kind: 'failed', cause: 'no-answer' },
      bytes: 0,
      retransmissions: 4,
    });
    await client.hears(6);
    expect(client.heard.at(-1)).toMatchObject({ kind: 'error', code: 0 });
  });

  it('counts a missing last ACK as done', async () => {
    const client = await bench.client({ skipLastAck: true, timeoutMs: 50 });
    const transfer = await bench.start(client, noise(700));
    expect(await transfer.ended).toMatchObject({ end: { kind: 'done', confirmed: false }, bytes: 700 });
  });

  it('ends with what the client says', async () => {
    const client = await bench.client({ silent: true });
    const transfer = await bench.start(client, noise(5_000));
    await client.hears(1);
    client.send(tftpError(3, 'disk full\u001b[31m'));
    expect(await transfer.ended).toMatchObject({
      end: { kind: 'failed', cause: 'client-error', detail: 'client says error 3: disk full?[31m' },
    });
  });

  it('takes error 8 after the OACK for a probe', async () => {
    const client = await bench.client({ silent: true });
    const transfer = await bench.start(client, noise(100), {
      terms: { ...LOCKSTEP, accepted: [{ name: 'tsize', value: '100' }] },
    });
    await client.hears(1);
    client.send(tftpError(8, 'User aborted the transfer'));
    expect(await transfer.ended).toMatchObject({ end: { kind: 'probed' } });
  });

  it('keeps to its way whatever a client sends', async () => {
    const client = await bench.client({ silent: true });
    const transfer = await bench.start(client, noise(700), { terms: LOCKSTEP });
    await client.hears(1);
    const target = { address: '127.0.0.1', port: client.port };
    for (const junk of [
      [],
      [0],
      [0, 4],
      [0, 4, 9],
      [0, 3, 0, 1, 7],
      [0, 9, 0, 1],
      Array.from({ length: 9_000 }, () => 4),
    ])
      await client.socket.send(Uint8Array.from(junk), target);
    client.send(tftpAck(2));
    client.send(tftpAck(65_535));
    client.send(tftpReadRequest('x'));
    client.send(tftpAck(1));
    await client.hears(2);
    client.send(tftpAck(2));
    expect((await transfer.ended).end).toEqual({ kind: 'done', confirmed: true });
    expect(client.heard.map((packet) => packet.kind === 'data' && packet.block)).toEqual([1, 2]);
  });

  it('tells a stranger that it is none of its clients, or whoever has the port that it came', async () => {
    const [client, stranger] = [await bench.client({ silent: true }), await bench.client({ silent: true })];
    const transfer = await bench.start(client, noise(700), { terms: LOCKSTEP });
    await client.hears(1);
    stranger.port = client.port;
    stranger.send(tftpAck(1));
    if (bench.engine.sharesPort) {
      const ofStranger = () => bench.strays.filter(({ source }) => source.port === stranger.socket.address.port);
      await expect.poll(() => ofStranger().map(({ data }) => decodeTftp(data))).toMatchObject([{ value: tftpAck(1) }]);
    } else {
      await stranger.hears(1);
      expect(stranger.heard[0]).toMatchObject({ kind: 'error', code: 5 });
    }
    client.send(tftpAck(1));
    await client.hears(2);
    expect(client.heard[1]).toMatchObject({ kind: 'data', block: 2 });
    transfer.stop();
    await transfer.ended;
  });

  it('stops a transfer with a word, and supersedes one without', async () => {
    const [stopped, superseded] = [await bench.client({ silent: true }), await bench.client({ silent: true })];
    const [one, other] = [await bench.start(stopped, noise(700)), await bench.start(superseded, noise(700))];
    await Promise.all([stopped.hears(1), superseded.hears(1)]);
    other.supersede();
    expect((await other.ended).end).toMatchObject({ kind: 'failed', cause: 'superseded' });
    one.stop();
    expect((await one.ended).end).toMatchObject({ kind: 'failed', cause: 'stopped' });
    await stopped.hears(2);
    expect(stopped.heard[1]).toMatchObject({ kind: 'error' });
    expect(superseded.heard.filter(({ kind }) => kind === 'error')).toEqual([]);
  });

  it('says when a client is first heard of, and gives its place away without a word until then', async () => {
    const [honest, invented] = [await bench.client({ silent: true }), await bench.client({ silent: true })];
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    let inventedWasHeard = false;
    const transfer = await bench.start(honest, noise(1200), { onHeard: resolve });
    const other = await bench.start(invented, noise(700), {
      onHeard: () => {
        inventedWasHeard = true;
      },
    });
    await Promise.all([honest.hears(1), invented.hears(1)]);
    honest.send(tftpAck(1));
    await heard;
    other.displace();
    expect(await other.ended).toMatchObject({ end: { kind: 'failed', cause: 'displaced' }, bytes: 0 });
    await honest.hears(2);
    expect(inventedWasHeard).toBe(false);
    expect(invented.heard.filter(({ kind }) => kind === 'error')).toEqual([]);
    transfer.stop();
    await transfer.ended;
  });

  it('ends a transfer at its deadline', async () => {
    const client = await bench.client({ silent: true });
    const transfer = await bench.start(client, noise(700), {
      terms: LOCKSTEP,
      deadlineMs: 100,
    });
    expect((await transfer.ended).end).toMatchObject({ kind: 'failed', cause: 'too-long' });
  });

  it('lets a client in lockstep have its file while another has large windows of a larger one', async () => {
    const greedy = await bench.client({ blksize: 1_468, windowsize: 64 });
    const modest = await bench.client();
    let isOver = false;
    const large = await bench.start(greedy, Buffer.alloc(10_000_000, 'ingot'));
    void large.ended.then(() => (isOver = true));
    // 21 turns; the other one has 107.
    const small = await bench.start(modest, noise(512 * 20 + 1));
    expect((await small.ended).end.kind).toBe('done');
    expect(isOver).toBe(false);
    expect(await large.ended).toMatchObject({ end: { kind: 'done' } });
  });

  it('sends one file to fifty clients at a time', async () => {
    const bytes = noise(100_000);
    const content = bench.content(bytes);
    const clients = await Promise.all(
      Array.from({ length: 50 }, () => bench.client({ blksize: 1_468, windowsize: 4 })),
    );
    const transfers = await Promise.all(clients.map((client) => bench.start(client, content)));
    for (const { end } of await Promise.all(transfers.map(({ ended }) => ended))) expect(end.kind).toBe('done');
    for (const client of clients) expect(Buffer.compare(client.bytes, bytes)).toBe(0);
  });
});
