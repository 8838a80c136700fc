import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '@ingot/net';

/** Why a connection was ended that had done nothing wrong by HTTP. For logs and metrics. */
export const Refusal = {
  /** All places are taken, and everybody has something to do. */
  Full: 'full',
  /** It had nothing to do, or had asked nothing to the end, and made room for another one. */
  MadeRoom: 'made-room',
  /** Answers wait for a client that does not take them. */
  Stalled: 'stalled',
  /** More requests at once on HTTP/1.1 than any client sends. */
  Pipelined: 'pipelined',
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** Tells of one of these; `peer` is `address:port`, or `unix`. */
export type OnRefusal = (refusal: Refusal, peer: string) => void;

export interface ConnectionBounds {
  readonly maxConnections: number;
  /** Milliseconds without a call after which an HTTP/2 connection is closed. */
  readonly connectionIdleMs: number;
  /** Milliseconds in which a client has to take something of what waits for it. */
  readonly stallMs: number;
}

/** The connections of all listeners. Those of unix sockets are of this host's own programs, and are not bounded. */
export interface Connections {
  /** One that was accepted; its handshake begins. It is destroyed when there is no place for it. */
  accept(socket: Socket): void;
  /** Its handshake is done. */
  secured(socket: TLSSocket): void;
  session(session: ServerHttp2Session): void;
  /** A call of an HTTP/2 connection. */
  stream(stream: ServerHttp2Stream): void;
  /** A call of an HTTP/1.1 connection. False: it is one too many, and its connection is gone. */
  request(request: IncomingMessage, answer: Answer): boolean;
  destroyAll(): void;
}

interface Answer {
  readonly writableLength: number;
  once(event: 'close', listener: () => void): unknown;
}

interface Call {
  readonly answer: Pick<Answer, 'writableLength'>;
  /** All of its request is there. */
  isAsked: boolean;
}

const LOOK_EVERY_MS = 5_000;
/** Whoever has just come is about to ask for something. */
const MIN_IDLE_MS = 1_000;
/** More than the pings of a client that takes nothing make, and less than any line. */
const MIN_TAKEN_BYTES = 16 * 1024;
/** Browsers and HTTP libraries send one after the other. */
const MAX_HTTP1_REQUESTS = 8;

interface Connection {
  readonly peer: string;
  readonly raw: Socket;
  tls: TLSSocket | undefined;
  session: ServerHttp2Session | undefined;
  readonly calls: Set<Call>;
  idleSince: number;
  /** What had been written when somebody began to wait. */
  waiting: { readonly since: number; readonly written: number } | undefined;
}

/**
 * Keeps connections from being a place to hide: one without a call ends after a while, and at once when its place is
 * needed; one whose client takes nothing of its answers ends, too.
 */
export function createConnections(bounds: ConnectionBounds, clock: Clock, onRefusal: OnRefusal): Connections {
  const all = new Set<Connection>();
  const local = new Set<Socket>();
  /** By both ends: TLS makes a socket of its own of one, and HTTP/2 another one of that. */
  const byEnds = new Map<string, Connection>();
  const bySocket = new WeakMap<object, Connection>();
  const bySession = new WeakMap<object, Connection>();
  let timer: Timer | undefined;

  const destroy = (connection: Connection): void => {
    connection.session?.destroy();
    connection.tls?.destroy();
    connection.raw.destroy();
  };
  const look = (): void => {
    timer = undefined;
    const now = clock.monotonic();
    for (const connection of all) lookAt(connection, now);
    if (all.size > 0) timer = clock.setTimeout(look, LOOK_EVERY_MS);
  };
  const lookAt = (connection: Connection, now: number): void => {
    const { calls, session, tls, peer } = connection;
    if (calls.size === 0) {
      connection.waiting = undefined;
      if (now - connection.idleSince >= bounds.connectionIdleMs) session?.close();
      return;
    }
    if (tls === undefined || ![...calls].some(({ answer }) => answer.writableLength > 0)) {
      connection.waiting = undefined;
      return;
    }
    const { waiting } = connection;
    if (waiting === undefined || tls.bytesWritten - waiting.written >= MIN_TAKEN_BYTES) {
      connection.waiting = { since: now, written: tls.bytesWritten };
      return;
    }
    if (now - waiting.since < bounds.stallMs) return;
    onRefusal(Refusal.Stalled, peer);
    destroy(connection);
  };
  const oldestOf = (isMeant: (connection: Connection) => boolean): Connection | undefined => {
    const tooNew = clock.monotonic() - MIN_IDLE_MS;
    let oldest: Connection | undefined;
    for (const connection of all) {
      if (connection.idleSince > tooNew || !isMeant(connection)) continue;
      if (oldest === undefined || connection.idleSince < oldest.idleSince) oldest = connection;
    }
    return oldest;
  };
  /** Whether there is room now: by one without a call, or else one that has asked nothing to the end. */
  const makeRoom = (): boolean => {
    const oldest =
      oldestOf(({ calls }) => calls.size === 0) ?? oldestOf(({ calls }) => ![...calls].some(({ isAsked }) => isAsked));
    if (oldest === undefined) return false;
    onRefusal(Refusal.MadeRoom, oldest.peer);
    all.delete(oldest);
    destroy(oldest);
    return true;
  };
  const begin = (connection: Connection, request: EventEmitter, answer: Answer): void => {
    const call: Call = { answer, isAsked: false };
    connection.calls.add(call);
    request.once('end', () => {
      call.isAsked = true;
    });
    answer.once('close', () => {
      connection.calls.delete(call);
      if (call.isAsked) connection.idleSince = clock.monotonic();
    });
  };

  return {
    accept(socket) {
      const ends = endsOf(socket);
      if (ends === undefined) {
        local.add(socket);
        socket.once('close', () => local.delete(socket));
        return;
      }
      const peer = peerOf(socket);
      if (all.size >= bounds.maxConnections && !makeRoom()) {
        onRefusal(Refusal.Full, peer);
        socket.destroy();
        return;
      }
      const connection: Connection = {
        peer,
        raw: socket,
        tls: undefined,
        session: undefined,
        calls: new Set(),
        idleSince: clock.monotonic(),
        waiting: undefined,
      };
      all.add(connection);
      byEnds.set(ends, connection);
      socket.once('close', () => {
        all.delete(connection);
        if (byEnds.get(ends) === connection) byEnds.delete(ends);
      });
      timer ??= clock.setTimeout(look, LOOK_EVERY_MS);
    },
    secured(socket) {
      const connection = byEnds.get(endsOf(socket) ?? '');
      if (connection === undefined) return;
      connection.tls = socket;
      bySocket.set(socket, connection);
    },
    session(session) {
      const connection = byEnds.get(endsOf(session.socket) ?? '');
      if (connection === undefined) return;
      connection.session = session;
      bySession.set(session, connection);
    },
    stream(stream) {
      const connection = stream.session === undefined ? undefined : bySession.get(stream.session);
      if (connection !== undefined) begin(connection, stream, stream);
    },
    request(request, answer) {
      const connection = bySocket.get(request.socket);
      if (connection === undefined) return true;
      // Node goes on with what it has read already.
      if (connection.raw.destroyed) return false;
      if (connection.calls.size >= MAX_HTTP1_REQUESTS) {
        onRefusal(Refusal.Pipelined, connection.peer);
        destroy(connection);
        return false;
      }
      begin(connection, request, answer);
      return true;
    },
    destroyAll() {
      for (const connection of all) destroy(connection);
      for (const socket of local) socket.destroy();
    },
  };
}

/** Undefined for a unix socket. */
function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string | undefined {
  if (remoteAddress === undefined) return undefined;
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}

/** The address of the other end: `10.0.0.7:41234`, or `unix`. */
export function peerOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  if (remoteAddress === undefined) return 'unix';
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
