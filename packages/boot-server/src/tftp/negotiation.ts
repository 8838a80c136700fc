import { readTftpOptions, TFTP_DEFAULT_BLKSIZE, type TftpOption, type TftpRequest } from '@ingot/wire';

/** What client and server agree on. */
export interface TftpTerms {
  /** Bytes of data in a block. */
  readonly blksize: number;
  /** Blocks between two ACKs. */
  readonly windowsize: number;
  /** The client's own wish for the time until a retransmission; undefined lets the server adapt. */
  readonly timeoutMs: number | undefined;
  /** The OACK's options, in the order of the request; empty when the answer starts with DATA. */
  readonly accepted: readonly TftpOption[];
}

/** The most that the server grants. */
export interface TftpCaps {
  /** Bytes of data in a block: what the way to the client carries in one piece. */
  readonly blksize: number;
  readonly windowsize: number;
}

/** Whoever wants to be waited for longer would hold its place after it is gone: the option is left out then. */
const MAX_TIMEOUT_S = 30;

/**
 * Options that are unknown or malformed are left out of the OACK, which is how RFC 2347 §3 declines; blksize and
 * windowsize may be lowered (RFC 2348, RFC 7440 §3), timeout must be echoed as it is or left out (RFC 2349 §2).
 */
export function negotiate(request: TftpRequest, sizeBytes: number, caps: TftpCaps): TftpTerms {
  const asked = readTftpOptions(request.options);
  const blksize = asked.blksize?.ok === true ? Math.min(asked.blksize.value, caps.blksize) : undefined;
  const windowsize = asked.windowsize?.ok === true ? Math.min(asked.windowsize.value, caps.windowsize) : undefined;
  const timeout = asked.timeout?.ok === true && asked.timeout.value <= MAX_TIMEOUT_S ? asked.timeout.value : undefined;
  const answers = new Map([
    ['blksize', blksize],
    ['windowsize', windowsize],
    ['timeout', timeout],
    ['tsize', asked.tsize?.ok === true ? sizeBytes : undefined],
  ]);
  const accepted: TftpOption[] = [];
  for (const { name } of request.options) {
    const key = name.toLowerCase();
    const value = answers.get(key);
    // A repeated option is answered once.
    answers.delete(key);
    // The name as the client wrote it: there are clients that compare it as it is.
    if (value !== undefined) accepted.push({ name, value: String(value) });
  }
  return {
    blksize: blksize ?? TFTP_DEFAULT_BLKSIZE,
    windowsize: windowsize ?? 1,
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    accepted,
  };
}
