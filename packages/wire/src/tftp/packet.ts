/** RFC 1350 §5, RFC 2347. */
export const TftpOpcode = { RRQ: 1, WRQ: 2, DATA: 3, ACK: 4, ERROR: 5, OACK: 6 } as const;

/** RFC 1350 appendix, RFC 2347 §2. */
export const TftpErrorCode = {
  NOT_DEFINED: 0,
  FILE_NOT_FOUND: 1,
  ACCESS_VIOLATION: 2,
  DISK_FULL: 3,
  ILLEGAL_OPERATION: 4,
  UNKNOWN_TRANSFER_ID: 5,
  FILE_EXISTS: 6,
  NO_SUCH_USER: 7,
  /** Also how EDK2 ends its size probe after the OACK; not a failure then. */
  OPTION_REFUSED: 8,
} as const;

export const TFTP_PORT = 69;
/** Block size without a `blksize` option (RFC 1350). */
export const TFTP_DEFAULT_BLKSIZE = 512;

/** An option as sent; compare names in lower case (RFC 2347 §2). Texts have one character a byte. */
export interface TftpOption {
  readonly name: string;
  readonly value: string;
}

interface Framed {
  /** Bytes behind the last complete field, which some ROMs leave there. Normally empty. */
  readonly trailing: Uint8Array;
}

/** RRQ or WRQ. Texts have one character a byte. */
export interface TftpRequest extends Framed {
  readonly kind: 'rrq' | 'wrq';
  readonly filename: string;
  /** As sent; see `tftpMode`. */
  readonly mode: string;
  readonly options: readonly TftpOption[];
}

export interface TftpData {
  readonly kind: 'data';
  /** 0–65535; wraps. */
  readonly block: number;
  readonly data: Uint8Array;
}

export interface TftpAck extends Framed {
  readonly kind: 'ack';
  readonly block: number;
}

export interface TftpError extends Framed {
  readonly kind: 'error';
  /** See `TftpErrorCode`; any number may come. */
  readonly code: number;
  /** One character a byte. */
  readonly message: string;
  /** Whether the message ended in its NUL; some clients leave it out. */
  readonly terminated: boolean;
}

export interface TftpOack extends Framed {
  readonly kind: 'oack';
  readonly options: readonly TftpOption[];
}

export type TftpPacket = TftpRequest | TftpData | TftpAck | TftpError | TftpOack;
