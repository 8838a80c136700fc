/** Stable codes of `NetError`. */
export const NetErrorCode = {
  AddressInUse: 'NET_ADDRESS_IN_USE',
  AddressNotAvailable: 'NET_ADDRESS_NOT_AVAILABLE',
  InvalidAddress: 'NET_INVALID_ADDRESS',
  PermissionDenied: 'NET_PERMISSION_DENIED',
  SocketClosed: 'NET_SOCKET_CLOSED',
  MessageTooLong: 'NET_MESSAGE_TOO_LONG',
  Unreachable: 'NET_UNREACHABLE',
  Io: 'NET_IO',
} as const;
export type NetErrorCode = (typeof NetErrorCode)[keyof typeof NetErrorCode];

/** Every error this package makes: a stable code, and a message that says what to do. */
export class NetError extends Error {
  override readonly name = 'NetError';
  readonly code: NetErrorCode;

  constructor(code: NetErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
