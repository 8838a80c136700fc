import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { loadLibc, mockEntropy, nodeNetwork, systemClock, type Endpoint, type UdpSocket } from '@ingot/net';
import { decodeTftp, encodeTftp, tftpAck, tftpError, tftpReadRequest, type TftpPacket } from '@ingot/wire';
import { contentMemory, type Content } from '../src/artifacts/content.ts';
import { chooseTftpPath } from '../src/tftp/choose-path.ts';
import type { TftpEngine, TftpJob, TftpTransfer } from '../src/tftp/engine.ts';
import { nativeEngine } from '../src/tftp/native/engine.ts';
import { routeMtu } from '../src/tftp/native/route-mtu.ts';
import { nodeEngine } from '../src/tftp/node-engine.ts';

const libc = await loadLibc();
const network = nodeNetwork();
const clock = systemClock;

/** What an engine is asked and tested with; sockets and memory are gone with it. */
class Bench implements AsyncDisposable {
  readonly engine: TftpEngine;
  readonly listener: UdpSocket;
  readonly #contents: Content[] = [];
  readonly #clients: LossyClient[] = [];

  constructor(engine: TftpEngine, listener: UdpSocket) {
    this.engine = engine;
    this.listener = listener;
  }

  content(bytes: Uint8Array): Content {
    const writer = contentMemory(libc).create(undefined);
    writer.write(bytes);
    const content = writer.finish();
    this.#contents.push(content);
    return content;
  }

  async client(options: Partial<ClientOptions> = {}): Promise<LossyClient> {
    const socket = await network.bindUdp({ address: '127.0.0.1', port: 0 });
    const client = new LossyClient(socket, {
      blksize: 512,
      windowsize: 1,
      loss: 0,
      duplicate: 0,
      timeoutMs: 10_000,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  start(client: LossyClient, bytes: Uint8Array | Content, change: Partial<TftpJob> = {}): Promise<TftpTransfer> {
    const { blksize, windowsize } = client.options;
    return this.engine.start({
      listener: this.listener,
      peer: client.socket.address,
      content: bytes instanceof Uint8Array ? this.content(bytes) : bytes,
      terms: { blksize, windowsize, timeoutMs: client.options.timeoutMs, accepted: [] },
      deadlineMs: 20_000,
      minBytesPerSecond: 0,
      ...change,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.stop();
    await Promise.all(this.#clients.map(({ socket }) => socket.close()));
    await this.listener.close();
    for (const content of this.#contents) content.close();
  }
}

interface ClientOptions {
  readonly blksize: number;
  readonly windowsize: number;
  /** Shares of packets, both ways. */
  readonly loss: number;
  readonly duplicate: number;
  /** Does nothing by itself. */
  readonly silent?: boolean;
  readonly skipLastAck?: boolean;
  /** The server's; short only where it is to expire: a busy host must not fail a test. */
  readonly timeoutMs: number;
}

/** A client after RFC 1350 and 7440 on a bad line. */
class LossyClient {
  readonly socket: UdpSocket;
  readonly options: ClientOptions;
  readonly heard: TftpPacket[] = [];
  readonly parts: Uint8Array[] = [];
  address = '127.0.0.1';
  port = 0;
  readonly #entropy = mockEntropy(11);
  #sinceAck = 0;
  #gapReportedFor = -1;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(socket: UdpSocket, options: ClientOptions) {
    this.socket = socket;
    this.options = options;
    socket.onDatagram(({ data, source }) => {
      for (let copy = this.#copies(); copy > 0; copy -= 1) this.#take(data, source);
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  send(packet: TftpPacket): void {
    for (let copy = this.#copies(); copy > 0; copy -= 1)
      void this.socket.send(encodeTftp(packet), { address: this.address, port: this.port });
  }

  /** Resolves as soon as `count` packets were heard. */
  hears(count: number): Promise<void> {
    if (this.heard.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  #copies(): number {
    const chance = this.#entropy.int(1_000) / 1_000;
    const { loss, duplicate } = this.options;
    return chance < loss ? 0 : chance < loss + duplicate ? 2 : 1;
  }

  #take(data: Uint8Array, { address, port }: Endpoint): void {
    const decoded = decodeTftp(data);
    if (!decoded.ok) return;
    this.address = address;
    this.port = port;
    this.heard.push(decoded.value);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.heard.length < count) return true;
      resolve();
      return false;
    });
    if (this.options.silent === true) return;
    if (decoded.value.kind === 'oack') return this.#acknowledge();
    if (decoded.value.kind !== 'data') return;
    const received = this.parts.length;
    if (this.options.skipLastAck === true && (this.parts.at(-1)?.length ?? this.options.blksize) < this.options.blksize)
      return;
    if (decoded.value.block !== (received + 1) % 65_536) {
      // The last ACK was lost, or the first blocks of a window.
      const isOld = (received - decoded.value.block + 65_536) % 65_536 < 1_000;
      if (this.#gapReportedFor !== received || isOld) this.#acknowledge();
      this.#gapReportedFor = received;
      return;
    }
    this.parts.push(decoded.value.data);
    this.#sinceAck += 1;
    const isLast = decoded.value.data.length < this.options.blksize;
    if (isLast && this.options.skipLastAck === true) return;
    if (isLast || this.#sinceAck === this.options.windowsize) this.#acknowledge();
  }

  #acknowledge(): void {
    this.#sinceAck = 0;
    this.send(tftpAck(this.parts.length % 65_536));
  }
}

const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 7919) >> 3));

const engines: readonly (readonly [string, () => TftpEngine])[] = [
  ['node', () => nodeEngine({ network, clock, singlePort: false })],
  ...(libc === undefined
    ? []
    : [
        [
          'native',
          () => nativeEngine({ libc, clock, log: new MemoryLogger(), fallback: neverEngine('the fallback is used') }),
        ] as const,
      ]),
];

function neverEngine(why: string): TftpEngine {
  return { name: 'node', start: () => Promise.reject(new Error(why)), stop: () => Promise.resolve() };
}

describe.each(engines)('the %s engine', (_name, make) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = new Bench(make(), await network.bindUdp({ address: '127.0.0.1', port: 0 }));
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

  it('tells a stranger that it is none of its clients', async () => {
    const [client, stranger] = [await bench.client({ silent: true }), await bench.client({ silent: true })];
    const transfer = await bench.start(client, noise(700), { terms: LOCKSTEP });
    await client.hears(1);
    stranger.port = client.port;
    stranger.send(tftpAck(1));
    await stranger.hears(1);
    expect(stranger.heard[0]).toMatchObject({ kind: 'error', code: 5 });
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

const LOCKSTEP = { blksize: 512, windowsize: 1, timeoutMs: 10_000, accepted: [] };

describe.runIf(libc !== undefined)('the native engine alone', () => {
  async function native(
    change: Partial<Parameters<typeof nativeEngine>[0]> = {},
  ): Promise<{ bench: Bench; log: MemoryLogger; kill: () => Promise<unknown> }> {
    if (libc === undefined) throw new Error('no libc');
    const log = new MemoryLogger();
    let thread: Worker | undefined;
    const engine = nativeEngine({
      libc,
      clock,
      log,
      fallback: nodeEngine({ network, clock, singlePort: false }),
      startWorker: (workerData) =>
        (thread = new Worker(new URL('../src/tftp/native/worker.ts', import.meta.url), { workerData })),
      ...change,
    });
    const bench = new Bench(engine, await network.bindUdp({ address: '127.0.0.1', port: 0 }));
    return { bench, log, kill: () => thread?.terminate() ?? Promise.resolve() };
  }
  const mappings = (): number => readFileSync('/proc/self/maps', 'latin1').split('memfd:ingot').length - 1;

  it('ends its transfers when its thread dies, starts another, and gives up when that dies again and again', async () => {
    const { bench, log, kill } = await native();
    onTestFinished(() => bench[Symbol.asyncDispose]());
    for (let death = 1; death <= 3; death += 1) {
      const client = await bench.client({ silent: true });
      const transfer = await bench.start(client, noise(700), { terms: LOCKSTEP });
      await client.hears(1);
      await kill();
      expect((await transfer.ended).end).toMatchObject({ kind: 'failed', cause: 'engine-failed' });
    }
    expect(log.events('tftp.engine-failed').map(({ fields }) => fields['engine'])).toEqual([
      'native',
      'native',
      'node',
    ]);
    const client = await bench.client();
    const transfer = await bench.start(client, noise(700));
    expect((await transfer.ended).end.kind).toBe('done');
  });

  it('sends from one address, and from two at once', async () => {
    const { bench } = await native();
    onTestFinished(() => bench[Symbol.asyncDispose]());
    const listener = await network.bindUdp({ address: '127.0.0.2', port: 0 });
    onTestFinished(() => listener.close());
    const bytes = noise(50_000);
    // The second address is known to the thread from the first round on, and idle in the last.
    for (const listeners of [[listener], [bench.listener, listener, bench.listener], [bench.listener]]) {
      const clients = await Promise.all(listeners.map(() => bench.client()));
      const transfers = await Promise.all(
        clients.map((client, index) => bench.start(client, bytes, { listener: listeners[index] ?? listener })),
      );
      for (const { end } of await Promise.all(transfers.map(({ ended }) => ended))) expect(end.kind).toBe('done');
      for (const client of clients) expect(Buffer.compare(client.bytes, bytes)).toBe(0);
    }
  });

  it('maps a file once, and no longer than somebody loads it', async () => {
    const { bench } = await native();
    onTestFinished(() => bench[Symbol.asyncDispose]());
    const before = mappings();
    const content = bench.content(noise(100_000));
    const clients = [await bench.client({ silent: true }), await bench.client({ silent: true })];
    const transfers = await Promise.all(clients.map((client) => bench.start(client, content)));
    await Promise.all(clients.map((client) => client.hears(1)));
    expect(mappings()).toBe(before + 1);
    for (const transfer of transfers) transfer.stop();
    await Promise.all(transfers.map(({ ended }) => ended));
    expect(mappings()).toBe(before);
  });

  it('leaves to the fallback what is in no sealed memfd', async () => {
    const { bench } = await native({ fallback: neverEngine('left to the fallback') });
    onTestFinished(() => bench[Symbol.asyncDispose]());
    const client = await bench.client();
    const content = { sizeBytes: 3, fd: undefined, read: () => Uint8Array.of(1, 2, 3) };
    await expect(bench.start(client, { ...content, sha256: '', close: () => undefined })).rejects.toThrow('fallback');
  });

  it('ends what is under way when it stops', async () => {
    const { bench } = await native();
    const client = await bench.client({ silent: true });
    const transfer = await bench.start(client, noise(700));
    await client.hears(1);
    await bench[Symbol.asyncDispose]();
    expect((await transfer.ended).end).toMatchObject({ kind: 'failed', cause: 'stopped' });
  });
});

describe('the choice of the engine', () => {
  const choose = async (change: Partial<Parameters<typeof chooseTftpPath>[0]>): Promise<string> => {
    const log = new MemoryLogger();
    const config = { engine: 'auto', singlePort: false } as const;
    const { engine } = await chooseTftpPath({ config, libc, network, clock, log, ...change });
    await engine.stop();
    expect(log.events('tftp.engine')).toMatchObject([{ fields: { engine: engine.name } }]);
    return engine.name;
  };

  it('is the native one where it works', async () => {
    expect(await choose({})).toBe(libc === undefined ? 'node' : 'native');
  });

  it.each([
    ['without libc', { libc: undefined }],
    ['where it is configured', { config: { engine: 'node', singlePort: false } as const }],
    ['in single-port mode', { config: { engine: 'auto', singlePort: true } as const }],
  ])('is the node one %s', async (_where, change) => {
    expect(await choose(change)).toBe('node');
  });

  it('fails where the native one is configured and cannot be had', async () => {
    const config = { engine: 'native', singlePort: false } as const;
    await expect(choose({ libc: undefined, config })).rejects.toThrow(/tftp\.engine: auto/);
  });

  it.runIf(libc !== undefined)('comes with the MTU of the route', () => {
    if (libc === undefined) return;
    expect(routeMtu(libc)('127.0.0.1', '127.0.0.1')).toBeGreaterThanOrEqual(65_535);
    expect(routeMtu(libc)('::1', '::1')).toBeGreaterThanOrEqual(65_535);
    expect(routeMtu(libc)('192.0.2.1', '192.0.2.2')).toBe(1_500);
  });
});
