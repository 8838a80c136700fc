import type { Datagram } from './udp.ts';

/** The handlers of one socket, and the rule for what a handler throws. */
export class Handlers {
  readonly #onDatagram: ((datagram: Datagram) => void)[] = [];
  readonly #onBatch: ((datagrams: readonly Datagram[]) => void)[] = [];
  readonly #onError: ((error: Error) => void)[] = [];

  addDatagram(handler: (datagram: Datagram) => void): void {
    this.#onDatagram.push(handler);
  }

  addBatch(handler: (datagrams: readonly Datagram[]) => void): void {
    this.#onBatch.push(handler);
  }

  get wantsBatches(): boolean {
    return this.#onBatch.length > 0;
  }

  addError(handler: (error: Error) => void): void {
    this.#onError.push(handler);
  }

  datagram(datagram: Datagram): void {
    for (const handler of this.#onDatagram) this.#call(() => handler(datagram));
  }

  batch(datagrams: readonly Datagram[]): void {
    for (const handler of this.#onBatch) this.#call(() => handler(datagrams));
  }

  error(error: Error): void {
    for (const handler of this.#onError) handler(error);
  }

  clear(): void {
    this.#onDatagram.length = 0;
    this.#onBatch.length = 0;
    this.#onError.length = 0;
  }

  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      // With nobody to tell, a bug must not pass in silence.
      if (this.#onError.length === 0) throw error;
      this.error(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
