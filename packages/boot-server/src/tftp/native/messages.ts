import type { Endpoint } from '@ingot/net';
import type { TftpResult, TransferTerms } from '../transfer-state.ts';

/** To the worker. */
export type Order =
  | {
      readonly kind: 'start';
      readonly id: number;
      /** The socket to send from; the ACKs come there. */
      readonly fd: number;
      /** struct sockaddr of the client. */
      readonly peer: Uint8Array;
      readonly terms: TransferTerms;
      /** The OACK as it goes out. */
      readonly oack: Uint8Array | undefined;
      /** Where the file is mapped. */
      readonly dataAddress: number;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'stop'; readonly id: number }
  | { readonly kind: 'supersede'; readonly id: number }
  | { readonly kind: 'displace'; readonly id: number }
  /** A packet of its client that came another way. */
  | { readonly kind: 'packet'; readonly id: number; readonly data: Uint8Array }
  /** A socket to listen to, for good. With `tellsStrays` what comes to it for no transfer is told, not answered. */
  | { readonly kind: 'socket'; readonly fd: number; readonly tellsStrays: boolean }
  | { readonly kind: 'quit' };

/** From the worker. */
export type News =
  /** The client has acknowledged something for the first time. */
  | { readonly kind: 'heard'; readonly id: number }
  | { readonly kind: 'ended'; readonly id: number; readonly result: TftpResult }
  | { readonly kind: 'stray'; readonly fd: number; readonly data: Uint8Array; readonly source: Endpoint };

/** Places in the counters. */
export const Counter = {
  /** Orders given. */
  ORDERS: 0,
  /** Strays taken. */
  STRAYS: 1,
} as const;

/** What the worker is given at its start. */
export interface WorkerSetUp {
  /** Written to with every order. */
  readonly wakeFd: number;
  /** Two 32-bit counters: looking at them costs less than looking for a message. */
  readonly counters: SharedArrayBuffer;
}
