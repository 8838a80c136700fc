import { checkServerIdentity, createSecureContext } from 'node:tls';
import { Client, credentials } from '@grpc/grpc-js';
import type { CodeName } from '../errors.ts';
import { parseEndpoint, tlsServerName } from './endpoint.ts';
import { fixedToken, tokenFromFile, type TokenSource } from './token-source.ts';

export interface ChannelOptions {
  /** `https://host:port` or `unix:/path`. */
  readonly url: string;
  /** PEM. Only what these certificates have signed is trusted; the system's authorities are not. */
  readonly ca: string;
  /** The bearer token itself, or … */
  readonly token?: string;
  /** … a file that holds it, read again when it changes. */
  readonly tokenFile?: string;
  /** Name or address that the server's certificate must carry, where it is not the one in `url`. */
  readonly serverName?: string;
  /** Deadline of unary calls that set none, milliseconds. Default 30 000. */
  readonly defaultTimeoutMs?: number;
  /** Longest message either way, bytes. Default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Time between HTTP/2 pings while calls run, milliseconds. Default 10 000. */
  readonly pingIntervalMs?: number;
  /** Time without answer to a ping after which calls fail with `Unavailable`, milliseconds. Default 5 000. */
  readonly pingTimeoutMs?: number;
  /** Longest pause between two tries to connect, milliseconds. Default 5 000. */
  readonly maxReconnectDelayMs?: number;
  /** Told of each unary call when it is over. */
  readonly onCall?: (call: FinishedCall) => void;
}

/** How a unary call went. */
export interface FinishedCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly durationMs: number;
  /** The name of its code; undefined when it went well. */
  readonly code: CodeName | undefined;
}

/** A connection to an API server, made on the first call and made again when it is lost. Share it between clients. */
export interface Channel {
  readonly grpc: Client;
  readonly token: TokenSource;
  readonly defaultTimeoutMs: number;
  readonly onCall?: (call: FinishedCall) => void;
  close(): void;
}

const FIRST_RECONNECT_DELAY_MS = 250;

/** Opens no connection yet. Throws RangeError for a bad `url`, and what OpenSSL says about a bad `ca`. */
export function createChannel(options: ChannelOptions): Channel {
  const endpoint = parseEndpoint(options.url);
  const identity = options.serverName ?? endpoint.identity;
  const maxMessageBytes = options.maxMessageBytes ?? 4 * 1024 * 1024;
  const maxReconnectDelayMs = options.maxReconnectDelayMs ?? 5_000;
  const secureContext = createSecureContext({ ca: options.ca, minVersion: 'TLSv1.2' });
  const channelCredentials = credentials.createFromSecureContext(secureContext, {
    checkServerIdentity: (_sent, certificate) => checkServerIdentity(identity, certificate),
  });
  const grpc = new Client(endpoint.target, channelCredentials, {
    'grpc.ssl_target_name_override': tlsServerName(identity),
    // `unix:/path` makes no valid HTTP authority.
    ...(endpoint.target.startsWith('unix:') ? { 'grpc.default_authority': identity } : {}),
    'grpc.keepalive_time_ms': options.pingIntervalMs ?? 10_000,
    'grpc.keepalive_timeout_ms': options.pingTimeoutMs ?? 5_000,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.initial_reconnect_backoff_ms': Math.min(FIRST_RECONNECT_DELAY_MS, maxReconnectDelayMs),
    'grpc.max_reconnect_backoff_ms': maxReconnectDelayMs,
    // Channels with equal options would share connections in this process; each of ours has its own.
    'grpc.use_local_subchannel_pool': 1,
    // The management network is reached directly, whatever HTTPS_PROXY says.
    'grpc.enable_http_proxy': 0,
    // Service configuration from DNS TXT records would let a name server change deadlines and retries.
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
  });
  return {
    grpc,
    token: options.tokenFile === undefined ? fixedToken(options.token) : tokenFromFile(options.tokenFile),
    defaultTimeoutMs: options.defaultTimeoutMs ?? 30_000,
    ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
    close: () => grpc.close(),
  };
}
