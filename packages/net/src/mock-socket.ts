import { isIP } from 'node:net';
import { NetError, NetErrorCode } from './errors.ts';
import { Handlers } from './handlers.ts';
import type { BindOptions, Datagram, Endpoint, Outgoing, UdpSocket } from './udp.ts';

/** What a mock socket needs from its host. */
export interface SocketHost {
  isBroadcast(address: string): boolean;
  transmit(socket: MockSocket, data: Uint8Array, target: Endpoint): void;
  release(socket: MockSocket): void;
}

// 65535 less the IPv4 header (20) and the UDP header (8).
const MAX_PAYLOAD_BYTES = 65_507;

/** One bound socket of a `MockHost`. */
export class MockSocket implements UdpSocket {
  readonly address: Endpoint;
  readonly reuseAddress: boolean;
  /** The link that it is bound to. */
  readonly link: string | undefined;
  readonly #host: SocketHost;
  readonly #broadcast: boolean;
  readonly #groups: ReadonlySet<string>;
  readonly #handlers = new Handlers();
  #closed = false;

  constructor(host: SocketHost, options: BindOptions) {
    this.#host = host;
    this.address = { address: options.address, port: options.port };
    this.reuseAddress = options.reuseAddress ?? false;
    this.link = options.interface;
    this.#broadcast = options.broadcast ?? false;
    this.#groups = new Set((options.groups ?? []).map(({ address, interfaceName }) => `${address}%${interfaceName}`));
  }

  /** `group` with its link: `ff02::1:2%rack`. */
  isMemberOf(group: string): boolean {
    return this.#groups.has(group);
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
    const refusal = this.#refusal(data, target);
    if (refusal !== undefined) {
      const rejection = Promise.reject(refusal);
      rejection.catch(() => undefined);
      return rejection;
    }
    this.#host.transmit(this, Uint8Array.from(data), target);
    return Promise.resolve();
  }

  sendBatch(datagrams: readonly Outgoing[], onFailure: (failed: Outgoing, error: Error) => void): void {
    for (const one of datagrams) this.send(one.data, one.target).catch((error: Error) => onFailure(one, error));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#handlers.clear();
    this.#host.release(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Called by the network when a datagram arrives. */
  receive(datagram: Datagram): void {
    this.#handlers.datagram(datagram);
    this.#handlers.batch([datagram]);
  }

  #refusal(data: Uint8Array, target: Endpoint): NetError | undefined {
    const where = `${target.address}:${target.port}`;
    if (this.#closed) return new NetError(NetErrorCode.SocketClosed, `cannot send to ${where}: the socket is closed`);
    if (isIP(target.address) === 0 || !Number.isInteger(target.port) || target.port < 1 || target.port > 65_535) {
      return new NetError(
        NetErrorCode.InvalidAddress,
        `cannot send to ${where}: give a literal IP address and a port from 1 to 65535`,
      );
    }
    if (data.byteLength > MAX_PAYLOAD_BYTES) {
      return new NetError(
        NetErrorCode.MessageTooLong,
        `cannot send ${data.byteLength} bytes to ${where}: a UDP datagram carries at most ${MAX_PAYLOAD_BYTES}`,
      );
    }
    if (!this.#broadcast && this.#host.isBroadcast(target.address)) {
      return new NetError(
        NetErrorCode.PermissionDenied,
        `cannot send to ${where}: bind the socket with broadcast: true`,
      );
    }
    return undefined;
  }
}
