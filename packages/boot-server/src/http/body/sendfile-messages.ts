import type { MessagePort } from 'node:worker_threads';
import type { BodyLimits } from './sender.ts';
import type { SendEndKind, SendJob } from './sendfile-loop.ts';

/** What the server tells the thread. */
export type ToThread =
  | { readonly kind: 'send'; readonly job: SendJob }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'rate'; readonly perSecond: number | undefined }
  | { readonly kind: 'stop' };

/** What the thread tells the server, once for each job. */
export interface FromThread {
  readonly id: number;
  readonly kind: SendEndKind;
}

export interface ThreadData {
  readonly port: MessagePort;
  /** An eventfd(2): written by the server when there is a message. */
  readonly wake: number;
  readonly limits: BodyLimits;
}
