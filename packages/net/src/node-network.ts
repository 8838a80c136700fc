import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { NetError, NetErrorCode } from './errors.ts';
import { Handlers } from './handlers.ts';
import { batchIo, type BatchIo } from './native/batch-io.ts';
import { bindNative, systemError } from './native/bind.ts';
import { openLibc, type Libc } from './native/libc.ts';
import { bindError, sendError, text } from './socket-errors.ts';
import type { BindOptions, Datagram, Endpoint, Network, Outgoing, UdpSocket } from './udp.ts';

/**
 * The machine's own network, over `node:dgram`. Sockets bound with `batch` read and write many datagrams with one
 * system call where libc can be called; `native: false` leaves that out.
 */
export function nodeNetwork(options: { readonly native?: boolean } = {}): Network {
  const libc = options.native === false ? undefined : findLibc();
  const io = libc && batchIo(libc);
  return { bindUdp: (bind) => bindUdp(bind, libc, io), interfaceAddresses };
}

function interfaceAddresses(name: string): string[] {
  return (networkInterfaces()[name] ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address);
}

function findLibc(): Libc | undefined {
  try {
    return openLibc();
  } catch {
    return undefined;
  }
}

async function bindUdp(options: BindOptions, libc: Libc | undefined, io: BatchIo | undefined): Promise<UdpSocket> {
  const { address, port, broadcast = false, reuseAddress = false } = options;
  if (isIP(address) === 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new NetError(
      NetErrorCode.InvalidAddress,
      `cannot bind ${text(options)}: give a literal IP address and a port from 0 to 65535`,
    );
  }
  for (const { interfaceName } of options.groups ?? []) {
    // Node passes a name that it does not know on as "any interface".
    if (hasInterface(interfaceName)) continue;
    throw new NetError(
      NetErrorCode.AddressNotAvailable,
      `cannot bind ${text(options)}: there is no interface ${interfaceName}: see "ip link"`,
    );
  }
  const wantsNative = options.interface !== undefined || (options.batch === true && isIPv4(address));
  const isPlain = options.groups === undefined && !address.includes('%');
  if (wantsNative && isPlain && libc !== undefined)
    return bindWithLibc(options, libc, isIPv4(address) ? io : undefined);
  if (options.interface !== undefined) {
    throw new NetError(
      NetErrorCode.Io,
      `cannot bind ${text(options)} to interface ${options.interface}: that takes libc, and no group; give an address of the interface instead`,
    );
  }
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reuseAddr: reuseAddress });
  try {
    // `exclusive` keeps a cluster worker from sharing the primary's socket.
    await opened(socket, { address, port, exclusive: true });
    if (broadcast) socket.setBroadcast(true);
    for (const group of options.groups ?? []) socket.addMembership(group.address, `::%${group.interfaceName}`);
  } catch (error) {
    socket.close();
    throw bindError(options, error);
  }
  return new NodeSocket(socket, undefined);
}

async function bindWithLibc(options: BindOptions, libc: Libc, io: BatchIo | undefined): Promise<UdpSocket> {
  let fd: number;
  try {
    fd = bindNative(libc, options);
  } catch (error) {
    throw bindError(options, error);
  }
  const socket = createSocket({ type: isIPv6(options.address) ? 'udp6' : 'udp4' });
  try {
    await opened(socket, { fd, exclusive: true });
  } catch (error) {
    socket.close();
    libc.close(fd);
    throw bindError(options, error);
  }
  return new NodeSocket(socket, io && { io, fd });
}

function opened(
  socket: Socket,
  how: { address: string; port: number; exclusive: true } | { fd: number; exclusive: true },
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(how, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

const EAGAIN = 11;
/** Some 20 ms of work for a server that answers each of them. */
const MAX_READ_IN_A_TURN = 1_024;

/** Also when it is down, or has no cable: `networkInterfaces` leaves those out. */
function hasInterface(name: string): boolean {
  return readFileSync('/proc/net/dev', 'latin1')
    .split('\n')
    .some((line) => line.trimStart().startsWith(`${name}:`));
}

class NodeSocket implements UdpSocket {
  readonly address: Endpoint;
  readonly #socket: Socket;
  readonly #native: { readonly io: BatchIo; readonly fd: number } | undefined;
  readonly #handlers = new Handlers();
  #waiting: Datagram[] = [];
  #readThisTurn = 0;
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, native: { io: BatchIo; fd: number } | undefined) {
    this.#socket = socket;
    this.#native = native;
    const { address, port } = socket.address();
    this.address = { address, port };
    socket.on('message', (data, source) => {
      this.#receive({
        data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        source: { address: source.address, port: source.port },
      });
    });
    socket.on('error', (error) => {
      this.#handlers.error(new NetError(NetErrorCode.Io, `socket ${text(this.address)}: ${error.message}`, error));
    });
  }

  onDatagram(handler: (datagram: Datagram) => void): void {
    this.#handlers.addDatagram(handler);
  }

  onBatch(handler: (datagrams: readonly Datagram[]) => void): void {
    this.#handlers.addBatch(handler);
  }

  onError(handler: (error: Error) => void): void {
    this.#handlers.addError(handler);
  }

  send(data: Uint8Array, target: Endpoint): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      if (this.#closing !== undefined) {
        reject(new NetError(NetErrorCode.SocketClosed, `cannot send to ${text(target)}: the socket is closed`));
        return;
      }
      // A name would be looked up in the DNS, and block this socket's queue meanwhile.
      if (isIP(target.address) === 0 || !Number.isInteger(target.port) || target.port < 1 || target.port > 65_535) {
        reject(
          new NetError(
            NetErrorCode.InvalidAddress,
            `cannot send to ${text(target)}: give a literal IP address and a port from 1 to 65535`,
          ),
        );
        return;
      }
      this.#socket.send(data, target.port, target.address, (error) => {
        if (error === null) resolve();
        else reject(sendError(target, data.byteLength, error));
      });
    });
    sent.catch(() => undefined);
    return sent;
  }

  sendBatch(datagrams: readonly Outgoing[], onFailure: (failed: Outgoing, error: Error) => void): void {
    const slowly = (one: Outgoing): void => {
      this.send(one.data, one.target).catch((error: unknown) => {
        onFailure(one, error instanceof Error ? error : new Error(String(error)));
      });
    };
    if (this.#native === undefined || this.#closing !== undefined) {
      for (const one of datagrams) slowly(one);
      return;
    }
    const { io, fd } = this.#native;
    for (let next = 0; next < datagrams.length;) {
      const { taken, errno } = io.send(fd, datagrams, next);
      next += taken;
      const refused = taken > 0 ? undefined : datagrams[next];
      if (refused === undefined) continue;
      next += 1;
      // Too long for a slot, or the socket's buffer is full: Node waits until there is room.
      if (errno === 0 || errno === EAGAIN) slowly(refused);
      else onFailure(refused, sendError(refused.target, refused.data.byteLength, systemError('sendmmsg', errno)));
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#handlers.clear();
      this.#socket.close(resolve);
    });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(first: Datagram): void {
    if (this.#closing !== undefined) return;
    this.#handlers.datagram(first);
    if (!this.#handlers.wantsBatches) return;
    if (this.#native === undefined) {
      // libuv reads up to 32 datagrams before it lets anything else run; they make one batch.
      if (this.#waiting.push(first) === 1) setImmediate(() => this.#deliver());
      return;
    }
    const batch = [first];
    // libuv asks up to 32 times before it lets other sockets have their turn: a flood must leave them time.
    if (this.#readThisTurn < MAX_READ_IN_A_TURN) {
      if (this.#readThisTurn === 0) setImmediate(() => (this.#readThisTurn = 0));
      this.#readThisTurn += 1 + this.#native.io.receive(this.#native.fd, batch);
      for (let index = 1; index < batch.length; index += 1) {
        const datagram = batch[index];
        if (datagram !== undefined) this.#handlers.datagram(datagram);
      }
    }
    this.#handlers.batch(batch);
  }

  #deliver(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    if (this.#closing === undefined) this.#handlers.batch(batch);
  }
}
