/**
 * One end of a UDP conversation: a literal IP address and a port in [0, 65535]. An IPv6 address of link scope
 * (`fe80::1`, `ff02::1:2`) has the name of its interface behind it: `fe80::1%eth0`.
 */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A datagram as it arrived. `data` belongs to the receiver: nothing else writes to it. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly source: Endpoint;
}

/** A datagram to be sent. */
export interface Outgoing {
  readonly data: Uint8Array;
  readonly target: Endpoint;
}

/** A bound UDP socket. */
export interface UdpSocket extends AsyncDisposable {
  /** Where it is bound; `port` is the real one when 0 was asked for. */
  readonly address: Endpoint;
  /**
   * Adds a handler that is called with every datagram from now on; datagrams without a handler are lost.
   * What a handler throws goes to `onError`, or, without one, is an uncaught exception: it is a bug.
   */
  onDatagram(handler: (datagram: Datagram) => void): void;
  /**
   * Like `onDatagram`, for whatever had arrived at one look together: one datagram or many, in order. What costs the
   * same for one and for a hundred, as a commit to disk does, then costs little.
   */
  onBatch(handler: (datagrams: readonly Datagram[]) => void): void;
  /** Adds a handler for errors that belong to no `send`; without a handler they are dropped, never thrown. */
  onError(handler: (error: Error) => void): void;
  /**
   * Hands one datagram to the network; resolving says nothing about its arrival.
   * Rejects with `NetError`; a rejection that nobody awaits is ignored and never ends the process.
   */
  send(data: Uint8Array, target: Endpoint): Promise<void>;
  /**
   * Hands many datagrams to the network at once, in order. `onFailure` is told of each that it does not take, now or
   * later; one that fails keeps no other back.
   */
  sendBatch(datagrams: readonly Outgoing[], onFailure: (failed: Outgoing, error: Error) => void): void;
  /** Frees the port. Idempotent; afterwards no handler is called and `send` rejects with NET_SOCKET_CLOSED. */
  close(): Promise<void>;
}

/** What to bind. */
export interface BindOptions {
  /** Literal IPv4 or IPv6 address; `0.0.0.0` or `::` for all. Only these also receive limited broadcasts on Linux. */
  readonly address: string;
  /** [0, 65535]; 0 lets the system choose. */
  readonly port: number;
  /** Allow sending to broadcast addresses (SO_BROADCAST). Default false. */
  readonly broadcast?: boolean;
  /** Allow several sockets on one address and port (SO_REUSEADDR). Default false. */
  readonly reuseAddress?: boolean;
  /**
   * IPv6 multicast groups to join. A socket that is bound to the group's address (`ff02::1:2%eth0`) hears what is sent
   * to the group on that interface and nothing else.
   */
  readonly groups?: readonly MulticastGroup[];
  /** Many datagrams are expected: read and write several at once where the system can. Default false. */
  readonly batch?: boolean;
  /**
   * Hear and send on this interface (or VRF device) only, SO_BINDTODEVICE: `eth1`. Limited broadcasts then leave by it,
   * too. Only where libc can be called.
   */
  readonly interface?: string;
}

/** An IPv6 multicast group on one link. */
export interface MulticastGroup {
  /** Without an interface behind it: `ff02::1:2`. */
  readonly address: string;
  /** `eth0`. */
  readonly interfaceName: string;
}

/** Where sockets come from: `nodeNetwork()`, or a host of a `MockNetwork`. */
export interface Network {
  /** Rejects with `NetError`, whose message names the port and says what to do. */
  bindUdp(options: BindOptions): Promise<UdpSocket>;
  /** IPv4 addresses of an interface, in its order; none when it is not there. */
  interfaceAddresses(name: string): readonly string[];
}
