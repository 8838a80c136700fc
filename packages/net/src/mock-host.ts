import { isIP } from 'node:net';
import { NetError, NetErrorCode } from './errors.ts';
import { isLoopback, type Attachment } from './ipv4-link.ts';
import { MockSocket, type SocketHost } from './mock-socket.ts';
import type { BindOptions, Datagram, Endpoint, Network, UdpSocket } from './udp.ts';

/** A datagram between two hosts. */
export interface InTransit {
  readonly data: Uint8Array;
  readonly source: Endpoint;
  readonly target: Endpoint;
}

/** Carries a datagram of `from` to wherever it belongs. */
export type Carrier = (from: MockHost, datagram: InTransit) => void;

export const LIMITED_BROADCAST = '255.255.255.255';
const ANY = new Set(['0.0.0.0', '::']);
// Linux's net.ipv4.ip_local_port_range.
const FIRST_EPHEMERAL_PORT = 32_768;
const LAST_EPHEMERAL_PORT = 60_999;

/** The link of `ff02::1:2%rack`; undefined for what is no IPv6 multicast address of link scope. */
export function linkOfGroup(address: string): string | undefined {
  return /^ff[0-9a-f]2:[0-9a-f:]*%(.+)$/i.exec(address)?.[1];
}

/** A machine on a `MockNetwork`: binds like Linux does. */
export class MockHost implements Network, SocketHost {
  readonly name: string;
  readonly attachments: readonly Attachment[];
  /** False while the cable is pulled: nothing but loopback gets in or out. */
  linkUp = true;
  readonly #carry: Carrier;
  readonly #sockets: MockSocket[] = [];

  constructor(name: string, attachments: readonly Attachment[], carry: Carrier) {
    this.name = name;
    this.attachments = attachments;
    this.#carry = carry;
  }

  async bindUdp(options: BindOptions): Promise<UdpSocket> {
    const { address, port } = options;
    if (isIP(address) === 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new NetError(
        NetErrorCode.InvalidAddress,
        `cannot bind ${address}:${port}: give a literal IP address and a port from 0 to 65535`,
      );
    }
    for (const { interfaceName } of options.groups ?? []) this.#checkInterface(options, interfaceName);
    if (options.interface !== undefined) this.#checkInterface(options, options.interface);
    const isGroup = (options.groups ?? []).some((group) => `${group.address}%${group.interfaceName}` === address);
    const isOwn = isGroup || isLoopback(address) || this.has(address) || this.isBroadcast(address);
    if (!ANY.has(address) && !isOwn) {
      throw new NetError(
        NetErrorCode.AddressNotAvailable,
        `cannot bind ${address}:${port}: host ${this.name} has no such address; it has ${this.attachments.map((each) => each.address).join(', ')}`,
      );
    }
    const chosen = port === 0 ? this.#freePort(address) : port;
    if (this.#conflicts(address, chosen, options.reuseAddress ?? false, options.interface)) {
      throw new NetError(
        NetErrorCode.AddressInUse,
        `cannot bind ${address}:${chosen}: another socket of host ${this.name} has it; close that one, or set reuseAddress on both`,
      );
    }
    const socket = new MockSocket(this, { ...options, port: chosen });
    this.#sockets.push(socket);
    return socket;
  }

  /** Interfaces have the names of their links. */
  interfaceAddresses(name: string): readonly string[] {
    return this.attachments
      .filter(({ link, address }) => link === name && isIP(address) === 4)
      .map((each) => each.address);
  }

  has(address: string): boolean {
    return this.attachments.some((each) => each.address === address);
  }

  isBroadcast(address: string): boolean {
    return address === LIMITED_BROADCAST || this.attachments.some((each) => each.broadcast === address);
  }

  transmit(socket: MockSocket, data: Uint8Array, target: Endpoint): void {
    const own = this.attachments.find(({ link }) => link === socket.link);
    const address = own?.address ?? this.#sourceFor(socket.address.address, target.address);
    this.#carry(this, { data, source: { address, port: socket.address.port }, target });
  }

  release(socket: MockSocket): void {
    const index = this.#sockets.indexOf(socket);
    if (index >= 0) this.#sockets.splice(index, 1);
  }

  /** Hands a datagram that arrived on `from`, the sender's link, to every socket that Linux would. */
  receive(datagram: InTransit, from?: string): void {
    const { address, port } = datagram.target;
    const link = this.attachments.find((each) => each.address === address || each.broadcast === address)?.link ?? from;
    const matching = this.#sockets.filter(
      (socket) =>
        socket.address.port === port &&
        (socket.address.address === address || ANY.has(socket.address.address)) &&
        (socket.link === undefined || socket.link === link),
    );
    const message = (): Datagram => ({ data: Uint8Array.from(datagram.data), source: datagram.source });
    if (linkOfGroup(address) !== undefined) {
      for (const socket of matching.filter((each) => each.isMemberOf(address))) socket.receive(message());
      return;
    }
    if (this.isBroadcast(address)) {
      for (const socket of matching) socket.receive(message());
      return;
    }
    // Of several, Linux prefers the one bound to the very address, and then the one bound last.
    const exact = matching.findLast((socket) => socket.address.address === address);
    (exact ?? matching.at(-1))?.receive(message());
  }

  #sourceFor(bound: string, target: string): string {
    if (!ANY.has(bound) && !this.isBroadcast(bound) && linkOfGroup(bound) === undefined) return bound;
    if (isLoopback(target)) return target;
    const zone = target.split('%')[1];
    const onLink = zone === undefined ? undefined : this.attachments.find((each) => each.address.endsWith(`%${zone}`));
    if (onLink !== undefined) return onLink.address;
    const neighbour = this.attachments.find((each) => each.broadcast === target);
    const first = neighbour ?? this.attachments.find((each) => isIP(each.address) === isIP(target));
    return first?.address ?? bound;
  }

  #checkInterface(options: BindOptions, interfaceName: string): void {
    if (this.attachments.some(({ link }) => link === interfaceName)) return;
    throw new NetError(
      NetErrorCode.AddressNotAvailable,
      `cannot bind ${options.address}:${options.port}: host ${this.name} has no interface ${interfaceName}`,
    );
  }

  #conflicts(address: string, port: number, reuseAddress: boolean, link?: string): boolean {
    return this.#sockets.some((socket) => {
      const other = socket.address;
      if (other.port !== port || (reuseAddress && socket.reuseAddress)) return false;
      if (link !== undefined && socket.link !== undefined && link !== socket.link) return false;
      return other.address === address || ANY.has(other.address) || ANY.has(address);
    });
  }

  #freePort(address: string): number {
    for (let port = FIRST_EPHEMERAL_PORT; port <= LAST_EPHEMERAL_PORT; port += 1) {
      if (!this.#conflicts(address, port, false)) return port;
    }
    throw new NetError(NetErrorCode.AddressInUse, `host ${this.name} has no free port left: close some sockets`);
  }
}
