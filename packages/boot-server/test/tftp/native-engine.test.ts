import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import { AF_INET, packSocketAddress, type Datagram } from '@ingot/net';
import { encodeTftp, tftpAck, tftpReadRequest } from '@ingot/wire';
import { nativeEngine } from '../../src/tftp/native/engine.ts';
import { nodeEngine } from '../../src/tftp/node-engine.ts';
import { Bench, clock, libc, network, noise, neverEngine } from './engine-lab.ts';

const LOCKSTEP = { blksize: 512, windowsize: 1, timeoutMs: 10_000, accepted: [] };

/** Stands still until the kernel has handed over all that came to this UDP port; 10 s at most. */
function waitUntilRead(port: number): void {
  const place = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const until = performance.now() + 10_000;
  const waiting = (line: string): boolean => line.includes(place) && !/ [0-9A-F]{8}:00000000 /.test(line);
  while (readFileSync('/proc/net/udp', 'latin1').split('\n').some(waiting))
    if (performance.now() > until) throw new Error('nobody reads');
}

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
      singlePort: false,
      fallback: nodeEngine({ network, clock, singlePort: false }),
      startWorker: (workerData) =>
        (thread = new Worker(new URL('../../src/tftp/native/worker.ts', import.meta.url), { workerData })),
      ...change,
    });
    const listener = await network.bindUdp({ address: '127.0.0.1', port: 0, reuseAddress: engine.sharesPort });
    const bench = new Bench(engine, listener);
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

  describe('in single-port mode', () => {
    const singlePort = { singlePort: true, fallback: nodeEngine({ network, clock, singlePort: true }) };

    it('hears the listener’s port, and passes on what is for no transfer', async () => {
      const { bench } = await native(singlePort);
      onTestFinished(() => bench[Symbol.asyncDispose]());
      const strays: Datagram[] = [];
      const all = Promise.withResolvers<void>();
      const onStray = (datagram: Datagram): void => {
        if (strays.push(datagram) === 3) all.resolve();
      };
      const client = await bench.client({ silent: true });
      const transfer = await bench.start(client, noise(700), { terms: LOCKSTEP, onStray });
      await client.hears(1);
      expect(client.port).toBe(bench.listener.address.port);
      // Its own request once more, as of a client that was restarted; a stranger's, and its ACK of another transfer.
      const stranger = await bench.client({ silent: true });
      stranger.port = client.port;
      client.send(tftpReadRequest('again'));
      stranger.send(tftpReadRequest('another'));
      stranger.send(tftpAck(1));
      await all.promise;
      expect(strays.map(({ source }) => source)).toEqual([
        client.socket.address,
        stranger.socket.address,
        stranger.socket.address,
      ]);
      expect(stranger.heard).toEqual([]);
      // Wherever the kernel delivers an ACK, it counts.
      transfer.receive(encodeTftp(tftpAck(1)));
      await client.hears(2);
      transfer.receive(encodeTftp(tftpAck(2)));
      expect(await transfer.ended).toMatchObject({ end: { kind: 'done', confirmed: true }, bytes: 700 });
    });

    it('passes on no more than the listener takes, and goes on passing on', async () => {
      const { bench } = await native(singlePort);
      onTestFinished(() => bench[Symbol.asyncDispose]());
      const told = { strays: 0, isLast: false };
      const onStray = ({ data }: Datagram): void => {
        if (data.byteLength > 500) told.isLast = true;
        else told.strays += 1;
      };
      const client = await bench.client({ silent: true });
      await bench.start(client, noise(700), { terms: LOCKSTEP, onStray });
      await client.hears(1);
      const { port } = bench.listener.address;
      const calls = libc;
      if (calls === undefined) throw new Error('no libc');
      const fd = calls.socket(AF_INET, 2, 0);
      onTestFinished(() => void calls.close(fd));
      const flood = encodeTftp(tftpReadRequest('flood'));
      const target = packSocketAddress(bench.listener.address);
      // This thread takes nothing meanwhile: in pieces, for all of them must fit into the socket.
      for (let sent = 0; sent < 4_000; sent += 1) {
        calls.sendto(fd, flood, 0, target);
        if (sent % 200 === 199) waitUntilRead(port);
      }
      while (!told.isLast) {
        client.send(tftpReadRequest('x'.repeat(500)));
        await clock.sleep(20);
      }
      expect(told.strays).toBeGreaterThanOrEqual(1_024);
      // A batch may be under way as this thread begins to take them.
      expect(told.strays).toBeLessThan(1_024 + 64);
    });

    it('leaves the port to the listener when its thread has died again and again', async () => {
      const { bench, kill } = await native(singlePort);
      onTestFinished(() => bench[Symbol.asyncDispose]());
      for (let death = 1; death <= 3; death += 1) {
        const client = await bench.client({ silent: true });
        const transfer = await bench.start(client, noise(700), { terms: LOCKSTEP });
        await client.hears(1);
        await kill();
        await transfer.ended;
      }
      const client = await bench.client();
      const heard: ((data: Uint8Array) => void)[] = [];
      bench.listener.onDatagram(({ data }) => heard.forEach((hear) => hear(data)));
      const transfer = await bench.start(client, noise(700));
      heard.push((data) => transfer.receive(data));
      expect((await transfer.ended).end.kind).toBe('done');
      expect(client.port).toBe(bench.listener.address.port);
    });
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
