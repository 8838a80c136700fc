/** What the thread is started with. */
export interface WakeupSetUp {
  /** The epoll set. */
  readonly fd: number;
  /** 32-bit words that both sides see: `WakeupWord`. */
  readonly words: SharedArrayBuffer;
}

export const WakeupWord = {
  /** Not 0: the thread ends. */
  STOP: 0,
  /** 1 while the main thread is at what it was woken for. */
  AT_WORK: 1,
} as const;
