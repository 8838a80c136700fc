/** A service whose sockets are open. */
export interface UdpServer {
  /** Answers nothing more, and closes the sockets. */
  stop(): Promise<void>;
}
