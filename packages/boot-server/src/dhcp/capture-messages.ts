/** What the capture thread is started with. */
export interface CaptureSetUp {
  /** Packet sockets. */
  readonly fds: readonly number[];
  /** 32-bit words that both sides see: `CaptureWord`. */
  readonly words: SharedArrayBuffer;
}

export interface Captured {
  /** Of the socket in `fds`. */
  readonly index: number;
  /** IPv4 packets. */
  readonly packets: readonly Uint8Array[];
}

export const CaptureWord = {
  /** Not 0: the thread ends. */
  STOP: 0,
  /** Packets on their way to the main thread. */
  UNDER_WAY: 1,
  /** Packets that were too many. */
  LOST: 2,
} as const;

/** Packets on their way to a main thread that is busy: a power failure's worth of machines. */
export const MAX_CAPTURED = 8_192;
