/** Connections and milliseconds, by the names below. */
export type HttpLimits = Readonly<Record<keyof typeof HTTP_LIMITS, number>>;

/** Every limit of the HTTP server and what it stops. */
export const HTTP_LIMITS = {
  /** Connections at once: file descriptors. */
  connections: 1_024,
  /** Connections at once from one address: one client taking them all. iPXE opens one, firmware two. */
  connectionsPerClient: 32,
  /** Request line and headers together: memory per connection. */
  headerBytes: 8_192,
  /** To send the whole header, and the whole request: clients that send one byte a second. */
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  connectionsCheckingInterval: 2_000,
  /** Without a byte moving either way: clients that went away without a word. */
  idleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 5_000,
  /** A stop waits this long for what is being sent; the daemon gives up 2 s later. */
  drainMs: 8_000,
} as const;
