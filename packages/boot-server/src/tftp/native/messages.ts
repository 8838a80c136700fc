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
  /** A socket to listen to, for good. */
  | { readonly kind: 'socket'; readonly fd: number }
  | { readonly kind: 'quit' };

/** From the worker: the client has acknowledged something for the first time, or the transfer has ended. */
export interface News {
  readonly id: number;
  readonly result: TftpResult | undefined;
}

/** What the worker is given at its start. */
export interface WorkerSetUp {
  /** Written to with every order. */
  readonly wakeFd: number;
  /** One number, counted up with every order: looking at it costs less than looking for a message. */
  readonly orders: SharedArrayBuffer;
}
