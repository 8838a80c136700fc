import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import type { Clock, Timer } from '@ingot/net';

export interface HttpGetOptions {
  readonly clock: Clock;
  /** What all URLs begin with. */
  readonly base: string;
  /** From the question to the last byte of the answer, waiting for a free connection included. */
  readonly timeoutMs: number;
  /** Connections at once; they are kept open between questions. */
  readonly concurrency: number;
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export interface HttpGet {
  /** `path` follows the base as it stands. Rejects with what went wrong, in words. */
  get(path: string): Promise<HttpAnswer>;
  close(): void;
}

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10;
const HEADERS = { accept: 'application/json' };

/** Small GETs of one server, many at once. */
export function httpGet(options: HttpGetOptions): HttpGet {
  // The deadline is the clock's: undici's own would count the parts of an answer one by one.
  const { concurrency } = options;
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const { origin, pathname, search } = new URL(options.base);
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        new Question(dispatcher, options, resolve, reject).ask(origin, `${pathname}${search}${path}`);
      }),
    close: () => {
      dispatcher.destroy().catch(() => undefined);
    },
  };
}

/**
 * One question until its answer, redirects and all. Streams and abort signals, as undici's `request` has them, would
 * cost as much again as the question.
 */
class Question implements Dispatcher.DispatchHandler {
  readonly #dispatcher: Dispatcher;
  readonly #options: HttpGetOptions;
  readonly #timer: Timer;
  #resolve: ((answer: HttpAnswer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #origin = '';
  #path = '';
  #hops = 0;
  #isSecondTry = false;
  /** Undefined while it waits for a connection. */
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #status = 0;
  #location: string | undefined;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(
    dispatcher: Dispatcher,
    options: HttpGetOptions,
    resolve: (answer: HttpAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#dispatcher = dispatcher;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    const { clock, timeoutMs } = options;
    this.#timer = clock.setTimeout(() => this.#fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  }

  ask(origin: string, path: string): void {
    this.#origin = origin;
    this.#path = path;
    this.#parts = [];
    this.#size = 0;
    this.#dispatcher.dispatch({ origin, path, method: 'GET', headers: HEADERS }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#failure === undefined) this.#controller = controller;
    else controller.abort(this.#failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#location = headers.location;
  }

  onResponseData(_controller: Dispatcher.DispatchController, part: Buffer): void {
    const { maxBytes } = this.#options;
    this.#size += part.byteLength;
    if (this.#size > maxBytes) this.#fail(new Error(`the answer has more than ${maxBytes} bytes`));
    else this.#parts.push(part);
  }

  onResponseEnd(): void {
    const location = this.#location;
    if (this.#status >= 300 && this.#status <= 399 && location !== undefined) return this.#follow(location);
    const [first] = this.#parts;
    const whole = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#resolve?.({ status: this.#status, text: whole.toString('utf8') });
    this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = 'code' in error ? error.code : undefined;
    if (this.#isSecondTry || this.#failure !== undefined || (code !== 'ECONNRESET' && code !== 'UND_ERR_SOCKET'))
      return this.#fail(error);
    // A question that left as the server closed its idle connection was never seen: it is asked once more.
    this.#isSecondTry = true;
    this.#controller = undefined;
    this.ask(this.#origin, this.#path);
  }

  #follow(location: string): void {
    const from = `${this.#origin}${this.#path}`;
    const next = URL.canParse(location, from) ? new URL(location, from) : undefined;
    this.#hops += 1;
    if (this.#hops > MAX_REDIRECTS || (next?.protocol !== 'http:' && next?.protocol !== 'https:'))
      return this.#fail(new Error(`it redirects to ${location}`));
    this.#isSecondTry = false;
    this.#controller = undefined;
    this.ask(next.origin, `${next.pathname}${next.search}`);
  }

  /** Closes its connection, if it has one. */
  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const controller = this.#controller;
    this.#reject?.(error);
    this.#end();
    controller?.abort(error);
  }

  /** What has ended holds on to nothing: the collector may come to it late, by way of another dead thing that is old. */
  #end(): void {
    this.#timer.cancel();
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#controller = undefined;
    this.#parts = [];
  }
}
