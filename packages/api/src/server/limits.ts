/** What one client may cost the server. Bytes, milliseconds, counts. */
export interface ServerLimits {
  /** Longest request message, bytes. A register request with 16 NICs and 100 disks has about 20 KiB. */
  readonly maxMessageBytes: number;
  /** Longest request of a bidirectional stream, bytes; anybody may open one. */
  readonly maxStreamRequestBytes: number;
  /** Requests on one bidirectional stream. */
  readonly maxStreamRequests: number;
  /** Time until the first or the next request of a bidirectional stream, milliseconds. */
  readonly streamIdleMs: number;
  /** All request headers together, bytes: a token has about 500. */
  readonly maxHeaderBytes: number;
  /** Calls at once on one connection. */
  readonly maxStreamsPerConnection: number;
  /** Connections at once on one address; each waiting machine holds one. */
  readonly maxConnections: number;
  /** Time to complete the TLS handshake, milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Time between HTTP/2 pings to a client, milliseconds. */
  readonly pingIntervalMs: number;
  /** Time without answer to a ping after which the connection is given up, milliseconds. */
  readonly pingTimeoutMs: number;
  /** Time that running calls get to end when the server stops, milliseconds. */
  readonly stopTimeoutMs: number;
}

export const defaultServerLimits: ServerLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxStreamRequestBytes: 16 * 1024,
  maxStreamRequests: 1_000,
  streamIdleMs: 30_000,
  maxHeaderBytes: 16 * 1024,
  maxStreamsPerConnection: 128,
  maxConnections: 10_000,
  handshakeTimeoutMs: 10_000,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,
  stopTimeoutMs: 3_000,
};
