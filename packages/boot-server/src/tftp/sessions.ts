import type { TftpTransfer } from './engine.ts';

/** What the server knows of one request for a file, from the request to its end. */
export interface Session {
  /** The client's address and port. */
  readonly key: string;
  readonly client: string;
  /** When the file was asked for, and from when it is there: when its transfer began. Monotonic, in milliseconds. */
  startedAt: number;
  /** The request as it came. */
  readonly request: Uint8Array;
  /** Undefined while the file is being opened. */
  transfer: TftpTransfer | undefined;
  /** Whether the server stops, and the transfer is not to begin. */
  isStopping: boolean;
  /** Whether its ACKs come to port 69. */
  isSinglePort: boolean;
  ended: Promise<void>;
}

/** All sessions, by their keys, and what the limits ask for. Every question takes the same time, however many there are. */
export class Sessions {
  readonly #byKey = new Map<string, Session>();
  readonly #ofClient = new Map<string, number>();
  /** Whose client has acknowledged nothing; the oldest first. */
  readonly #unheard = new Set<Session>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Session | undefined {
    return this.#byKey.get(key);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byKey.values();
  }

  countOf(client: string): number {
    return this.#ofClient.get(client) ?? 0;
  }

  /** Takes the place of the session with the same key, if there is one. */
  add(session: Session): void {
    const former = this.#byKey.get(session.key);
    if (former !== undefined) this.remove(former);
    this.#byKey.set(session.key, session);
    this.#ofClient.set(session.client, this.countOf(session.client) + 1);
    this.#unheard.add(session);
  }

  remove(session: Session): void {
    this.#unheard.delete(session);
    if (this.#byKey.get(session.key) !== session) return;
    this.#byKey.delete(session.key);
    const left = this.countOf(session.client) - 1;
    if (left > 0) this.#ofClient.set(session.client, left);
    else this.#ofClient.delete(session.client);
  }

  /** The client has acknowledged something: it is where it says, and keeps its place. */
  heard(session: Session): void {
    this.#unheard.delete(session);
  }

  /** Ends the oldest transfer whose client has acknowledged nothing. False: there is none. */
  displaceOldest(): boolean {
    for (const session of this.#unheard) {
      if (session.transfer === undefined) continue;
      this.remove(session);
      session.transfer.displace();
      return true;
    }
    return false;
  }
}
