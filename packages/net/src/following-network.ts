import type { InterfaceWatch } from './interface-watch.ts';
import { NetError, NetErrorCode } from './errors.ts';
import { text } from './socket-errors.ts';
import type { BindOptions, Endpoint, Network, Outgoing, UdpSocket } from './udp.ts';

/** `network`, but sockets that are bound to an interface, or to an address of its link, follow it when it is made anew. */
export function followingNetwork(network: Network, watch: InterfaceWatch): Network {
  return {
    interfaceAddresses: (name) => network.interfaceAddresses(name),
    bindUdp: async (options) => {
      const socket = await network.bindUdp(options);
      const names = new Set([
        ...(options.interface === undefined ? [] : [options.interface]),
        ...(options.groups ?? []).map(({ interfaceName }) => interfaceName),
        ...options.address.split('%').slice(1),
      ]);
      return names.size === 0 ? socket : new FollowingSocket(network, options, socket, { watch, names });
    },
  };
}

class FollowingSocket implements UdpSocket {
  readonly address: Endpoint;
  readonly #network: Network;
  readonly #options: BindOptions;
  readonly #attachments: ((socket: UdpSocket) => void)[] = [];
  readonly #unfollow: readonly (() => void)[];
  /** Undefined while there is none at the interface that is there now. */
  #current: UdpSocket | undefined;
  #isClosed = false;

  constructor(
    network: Network,
    options: BindOptions,
    first: UdpSocket,
    { watch, names }: { watch: InterfaceWatch; names: ReadonlySet<string> },
  ) {
    this.#network = network;
    this.address = first.address;
    this.#options = { ...options, port: first.address.port };
    this.#current = first;
    this.#unfollow = [...names].map((name) => watch.follow(name, () => this.#rebind()));
  }

  onDatagram(handler: Parameters<UdpSocket['onDatagram']>[0]): void {
    this.#attach((socket) => socket.onDatagram(handler));
  }

  onBatch(handler: Parameters<UdpSocket['onBatch']>[0]): void {
    this.#attach((socket) => socket.onBatch(handler));
  }

  onError(handler: (error: Error) => void): void {
    this.#attach((socket) => socket.onError(handler));
  }

  send(data: Uint8Array, target: Endpoint): Promise<void> {
    const sent = this.#current?.send(data, target) ?? Promise.reject(this.#closedError(target));
    sent.catch(() => undefined);
    return sent;
  }

  sendBatch(datagrams: readonly Outgoing[], onFailure: (failed: Outgoing, error: Error) => void): void {
    if (this.#current !== undefined) this.#current.sendBatch(datagrams, onFailure);
    else for (const each of datagrams) onFailure(each, this.#closedError(each.target));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const each of this.#unfollow) each();
    this.#attachments.length = 0;
    await this.#current?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #attach(attach: (socket: UdpSocket) => void): void {
    this.#attachments.push(attach);
    if (this.#current !== undefined) attach(this.#current);
  }

  async #rebind(): Promise<void> {
    const before = this.#current;
    this.#current = undefined;
    await before?.close();
    if (this.#isClosed) return;
    const next = await this.#network.bindUdp(this.#options);
    // It may have been closed meanwhile.
    if (this.#isClosed) return next.close();
    this.#current = next;
    for (const attach of this.#attachments) attach(next);
  }

  #closedError(target: Endpoint): NetError {
    return new NetError(NetErrorCode.SocketClosed, `cannot send to ${text(target)}: its interface is not there`);
  }
}
