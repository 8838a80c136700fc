import type { Datagram, Endpoint, UdpSocket } from '@ingot/net';
import type { TftpTerms } from './negotiation.ts';
import type { PathMtu } from './path-mtu.ts';
import type { TftpResult, TransferTerms } from './transfer-state.ts';

/** What is sent. It never changes, and stays readable until the transfer has ended. */
export interface TftpContent {
  readonly sizeBytes: number;
  /** A sealed memfd of it, where there is one. */
  readonly fd: number | undefined;
  /** Up to `length` bytes, less at the end. */
  read(position: number, length: number): Uint8Array;
}

export interface TftpJob {
  /** The socket that the request came to: answers leave from its address. */
  readonly listener: UdpSocket;
  /** The interface that this is bound to, and that answers leave by; undefined: as the kernel routes. */
  readonly device?: string | undefined;
  readonly peer: Endpoint;
  readonly content: TftpContent;
  readonly terms: TftpTerms;
  /** The whole transfer may take this long, milliseconds. */
  readonly deadlineMs: number;
  readonly minBytesPerSecond: number;
  /** What came to the listener's port for no transfer of the engine, where the engine hears that port too. */
  readonly onStray?: ((datagram: Datagram) => void) | undefined;
  /** Called once, when the client has acknowledged something: it is no invented address. */
  readonly onHeard?: (() => void) | undefined;
}

/** What the transfer of a job is to keep to. */
export function transferTerms({ terms, deadlineMs, minBytesPerSecond }: TftpJob): TransferTerms {
  const { blksize, windowsize, timeoutMs, accepted } = terms;
  return { blksize, windowsize, timeoutMs, hasOack: accepted.length > 0, deadlineMs, minBytesPerSecond };
}

export interface TftpTransfer {
  /** Settles, and never rejects, when the transfer has ended. */
  readonly ended: Promise<TftpResult>;
  /** Tells the client and ends. */
  stop(): void;
  /** Ends without a word: the client has begun anew from the same port. */
  supersede(): void;
  /** Ends without a word: nothing was heard of the client, and another needs the place. */
  displace(): void;
  /** A packet from the peer to the listener's port, which is the transfer's own in single-port mode. */
  receive(data: Uint8Array): void;
}

/** Sends files: the part that has to be fast, without names, policy and log. */
export interface TftpEngine {
  readonly name: 'native' | 'node';
  /** Whether it opens sockets of its own at the listeners' addresses and port: the listeners must allow that. */
  readonly sharesPort: boolean;
  /** Rejects with NetError when there is no socket for it. */
  start(job: TftpJob): Promise<TftpTransfer>;
  /** Ends every transfer. */
  stop(): Promise<void>;
}

/** What sends, and how large its packets may be. */
export interface TftpPath {
  readonly engine: TftpEngine;
  readonly pathMtu: PathMtu;
}
