import type { PipelineMethod } from './pipeline.ts';

/** What one client may cost the server. Bytes, milliseconds, counts. */
export interface ServerLimits {
  /** Longest request message, bytes. A register request with 16 NICs and 100 disks has about 20 KiB. */
  readonly maxMessageBytes: number;
  /** Longest request of a bidirectional stream or a public method, bytes; anybody may send one. */
  readonly maxPublicRequestBytes: number;
  /** Requests on one bidirectional stream. */
  readonly maxStreamRequests: number;
  /** Time until the first or the next request of a bidirectional stream, milliseconds. */
  readonly streamIdleMs: number;
  /** Time for all of a request to come, milliseconds; bidirectional streams have `streamIdleMs` instead. */
  readonly requestTimeoutMs: number;
  /** All requests together that are not complete yet, bytes. */
  readonly maxUnfinishedBytes: number;
  /** All request headers together, bytes: a token has about 500. */
  readonly maxHeaderBytes: number;
  /** Calls at once on one connection. */
  readonly maxStreamsPerConnection: number;
  /** Connections at once, those of unix sockets not counted; each waiting machine holds one. */
  readonly maxConnections: number;
  /** Time without a call after which an HTTP/2 connection is closed, milliseconds. */
  readonly connectionIdleMs: number;
  /** Time in which a client has to take something of an answer, milliseconds. */
  readonly stallMs: number;
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
  maxPublicRequestBytes: 16 * 1024,
  maxStreamRequests: 1_000,
  streamIdleMs: 30_000,
  requestTimeoutMs: 30_000,
  maxUnfinishedBytes: 64 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxStreamsPerConnection: 128,
  maxConnections: 10_000,
  connectionIdleMs: 300_000,
  stallMs: 60_000,
  handshakeTimeoutMs: 10_000,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,
  stopTimeoutMs: 3_000,
};

/** Longest request of a method, bytes. */
export function maxRequestBytes(
  { desc, access }: Pick<PipelineMethod, 'desc' | 'access'>,
  limits: ServerLimits,
): number {
  const isSmall = access.visibility === 'public' || desc.methodKind === 'bidi_streaming';
  return isSmall ? limits.maxPublicRequestBytes : limits.maxMessageBytes;
}
