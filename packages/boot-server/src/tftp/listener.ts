import { encodeTftp, tftpError } from '@ingot/wire';
import type { Endpoint, UdpSocket } from '@ingot/net';

/** Where requests come to. */
export interface Listener {
  readonly socket: UdpSocket;
  /** The interface that it is bound to. */
  readonly device: string | undefined;
}

/** Says no to a request that began nothing. `code` is one of `TftpErrorCode`. */
export function sendError({ socket }: Listener, peer: Endpoint, code: number, message: string): void {
  socket.send(encodeTftp(tftpError(code, message)), peer).catch(() => undefined);
}
