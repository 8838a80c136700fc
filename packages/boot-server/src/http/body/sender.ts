import type { ServerResponse } from 'node:http';
import type { Artifact } from '../../artifacts/artifact.ts';

/** A body to send, of an answer whose head was written with its length and nothing after it. */
export interface Body {
  readonly response: ServerResponse;
  readonly artifact: Artifact;
  readonly position: number;
  readonly length: number;
  /** Address of the client, whose connections share one rate. */
  readonly client: string;
}

export type BodyEnd =
  /** The last byte was handed to the kernel. */
  | { readonly kind: 'done' }
  /** The client left. */
  | { readonly kind: 'gone' }
  /** The client took nothing for the idle time. */
  | { readonly kind: 'idle' }
  /** The server's own fault; `error` says which. */
  | { readonly kind: 'failed'; readonly error: Error };

/** Sends bodies, ends their answers, and never rejects. The artifact must be held until the end is known. */
export interface BodySender {
  /** For the log: `native` or `node`. */
  readonly kind: string;
  send(body: Body): Promise<BodyEnd>;
  /** Changes `maxBytesPerSecondPerClient` for clients that are not being sent anything; the others keep theirs. */
  setRate(maxBytesPerSecondPerClient: number | undefined): void;
  stop(): Promise<void>;
}

/** What a sender is made with. */
export interface BodyLimits {
  /** Without a byte that the client takes. */
  readonly idleTimeoutMs: number;
  /** For all connections of an address together; undefined: as fast as they go. */
  readonly maxBytesPerSecondPerClient: number | undefined;
}
