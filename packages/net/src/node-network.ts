import { createSocket, type Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { NetError, NetErrorCode } from './errors.ts';
import { Handlers } from './handlers.ts';
import type { BindOptions, Datagram, Endpoint, Network, UdpSocket } from './udp.ts';

/** The machine's own network, over `node:dgram`. */
export function nodeNetwork(): Network {
  return { bindUdp };
}

async function bindUdp(options: BindOptions): Promise<UdpSocket> {
  const { address, port, broadcast = false, reuseAddress = false } = options;
  if (isIP(address) === 0 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new NetError(
      NetErrorCode.InvalidAddress,
      `cannot bind ${text(options)}: give a literal IP address and a port from 0 to 65535`,
    );
  }
  for (const { interfaceName } of options.groups ?? []) {
    // Node passes a name that it does not know on as "any interface".
    if (networkInterfaces()[interfaceName]?.some(({ family }) => family === 'IPv6') !== true) {
      throw new NetError(
        NetErrorCode.AddressNotAvailable,
        `cannot bind ${text(options)}: interface ${interfaceName} is not there, not up, or has no IPv6 address: see "ip -6 address"`,
      );
    }
  }
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reuseAddr: reuseAddress });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      // `exclusive` keeps a cluster worker from sharing the primary's socket.
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    if (broadcast) socket.setBroadcast(true);
    for (const group of options.groups ?? []) socket.addMembership(group.address, `::%${group.interfaceName}`);
  } catch (error) {
    socket.close();
    throw bindError(options, error);
  }
  const bound = socket.address();
  return new NodeSocket(socket, { address: bound.address, port: bound.port });
}

class NodeSocket implements UdpSocket {
  readonly address: Endpoint;
  readonly #socket: Socket;
  readonly #handlers = new Handlers();
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, address: Endpoint) {
    this.#socket = socket;
    this.address = address;
    socket.on('message', (data, source) => {
      if (this.#closing !== undefined) return;
      this.#handlers.datagram({
        data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        source: { address: source.address, port: source.port },
      });
    });
    socket.on('error', (error) => {
      this.#handlers.error(new NetError(NetErrorCode.Io, `socket ${text(address)}: ${error.message}`, error));
    });
  }

  onDatagram(handler: (datagram: Datagram) => void): void {
    this.#handlers.addDatagram(handler);
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
}

function bindError(options: BindOptions, cause: unknown): NetError {
  const where = `cannot bind ${text(options)}`;
  switch (systemCode(cause)) {
    case 'EADDRINUSE':
      return new NetError(
        NetErrorCode.AddressInUse,
        `${where}: another process has UDP port ${options.port}; find it with "ss -ulpn sport = :${options.port}" and stop it, or configure another port`,
        cause,
      );
    case 'EADDRNOTAVAIL':
      return new NetError(
        NetErrorCode.AddressNotAvailable,
        `${where}: no interface of this machine has ${options.address}; see "ip address", or bind 0.0.0.0`,
        cause,
      );
    case 'EACCES':
    case 'EPERM':
      return new NetError(
        NetErrorCode.PermissionDenied,
        `${where}: ports below 1024 need CAP_NET_BIND_SERVICE; use the systemd unit, run as root, or configure a higher port`,
        cause,
      );
    default:
      return new NetError(NetErrorCode.Io, `${where}: ${words(cause)}`, cause);
  }
}

function sendError(target: Endpoint, sizeBytes: number, cause: unknown): NetError {
  const where = `cannot send ${sizeBytes} bytes to ${text(target)}`;
  switch (systemCode(cause)) {
    case 'EMSGSIZE':
      return new NetError(NetErrorCode.MessageTooLong, `${where}: a UDP datagram carries at most 65507`, cause);
    case 'EACCES':
      return new NetError(
        NetErrorCode.PermissionDenied,
        `${where}: for a broadcast address, bind the socket with broadcast: true; otherwise a firewall refuses it`,
        cause,
      );
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ENETDOWN':
      return new NetError(NetErrorCode.Unreachable, `${where}: no route; see "ip route get ${target.address}"`, cause);
    default:
      return new NetError(NetErrorCode.Io, `${where}: ${words(cause)}`, cause);
  }
}

function systemCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function text({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
