import {
  loadLibc,
  mockEntropy,
  nodeNetwork,
  systemClock,
  type Clock,
  type Endpoint,
  type Libc,
  type Network,
  type UdpSocket,
  type Datagram,
} from '@ingot/net';
import { decodeTftp, encodeTftp, tftpAck, type TftpPacket } from '@ingot/wire';
import { contentMemory, type Content } from '../../src/artifacts/content.ts';
import type { TftpEngine, TftpJob, TftpTransfer } from '../../src/tftp/engine.ts';

export const libc: Libc | undefined = await loadLibc();
export const network: Network = nodeNetwork();
export const clock: Clock = systemClock;

/** What an engine is asked and tested with; sockets and memory are gone with it. */
export class Bench implements AsyncDisposable {
  readonly engine: TftpEngine;
  readonly listener: UdpSocket;
  /** What came to the port that all share and belongs to no transfer. */
  readonly strays: Datagram[] = [];
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
      onStray: (datagram) => this.strays.push(datagram),
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
export class LossyClient {
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

/** Bytes of which no two blocks are the same. */
export const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 7919) >> 3));

/** For what is not to be used. */
export function neverEngine(why: string): TftpEngine {
  return {
    name: 'node',
    sharesPort: false,
    start: () => Promise.reject(new Error(why)),
    stop: () => Promise.resolve(),
  };
}
