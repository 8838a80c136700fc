import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import type { Clock, Timer } from '@ingot/net';
import { plainHttp, type PlainHttp } from './plain-http.ts';

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
/** Visible ASCII. */
const PATH = /^\/[!-~]*$/;

/**
 * Small GETs of one server, many at once. One that was seen to answer plainly is asked plainly, for half of what a whole
 * HTTP client costs; what is not answered so is asked once more by undici, which also knows what is wrong.
 */
export function httpGet(options: HttpGetOptions): HttpGet {
  const { concurrency, maxBytes } = options;
  const base = new URL(options.base);
  const { origin, pathname, search } = base;
  // The deadline is the clock's: undici's own would count the parts of an answer one by one.
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  let mayBePlain = base.protocol === 'http:';
  let plain: PlainHttp | undefined;
  /** In the order in which they came. */
  const waiting = new Set<Question>();
  let asked = 0;
  const dropPlain = (): void => {
    const dropped = plain;
    plain = undefined;
    mayBePlain = false;
    dropped?.close();
  };
  const shared: Shared = {
    options,
    dispatcher,
    onPlain: () => {
      if (mayBePlain) plain ??= plainHttp(base, maxBytes);
    },
    onUnusual: dropPlain,
    onEnd: (ended) => {
      if (waiting.delete(ended)) return;
      asked -= 1;
      for (const next of waiting) {
        if (asked >= concurrency) return;
        waiting.delete(next);
        ask(next);
      }
    },
  };
  const ask = (question: Question): void => {
    asked += 1;
    question.ask(origin, plain);
  };
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        const question = new Question(shared, `${pathname}${search}${path}`, resolve, reject);
        if (asked < concurrency) ask(question);
        else waiting.add(question);
      }),
    close: () => {
      dropPlain();
      dispatcher.destroy().catch(() => undefined);
    },
  };
}

/** What all questions of one server have in common. */
interface Shared {
  readonly options: HttpGetOptions;
  readonly dispatcher: Dispatcher;
  /** An answer of undici's could have been had plainly. */
  readonly onPlain: () => void;
  /** One that was to be had plainly could not. */
  readonly onUnusual: () => void;
  readonly onEnd: (question: Question) => void;
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  return (
    headers['content-length'] !== undefined &&
    headers['transfer-encoding'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers.location === undefined &&
    (headers.connection ?? 'keep-alive').toLowerCase() === 'keep-alive'
  );
}

/**
 * One question until its answer, redirects and all. Streams and abort signals, as undici's `request` has them, would
 * cost as much again as the question.
 */
class Question implements Dispatcher.DispatchHandler {
  readonly #shared: Shared;
  readonly #timer: Timer;
  #resolve: ((answer: HttpAnswer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #origin = '';
  #path: string;
  #hops = 0;
  #isSecondTry = false;
  #giveUpPlain: (() => void) | undefined;
  /** Undefined while it waits for a connection. */
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #status = 0;
  #location: string | undefined;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(shared: Shared, path: string, resolve: (answer: HttpAnswer) => void, reject: (error: Error) => void) {
    this.#shared = shared;
    this.#path = path;
    this.#resolve = resolve;
    this.#reject = reject;
    const { clock, timeoutMs } = shared.options;
    this.#timer = clock.setTimeout(() => this.#fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  }

  ask(origin: string, plain: PlainHttp | undefined): void {
    this.#origin = origin;
    // undici refuses what is no path.
    if (plain === undefined || !PATH.test(this.#path)) return this.#dispatch();
    this.#giveUpPlain = plain.get(this.#path, (outcome) => {
      this.#giveUpPlain = undefined;
      if (outcome.kind === 'answer') return this.#answer(outcome);
      if (outcome.kind === 'unusual') this.#shared.onUnusual();
      this.#dispatch();
    });
  }

  #dispatch(): void {
    this.#parts = [];
    this.#size = 0;
    const { dispatcher } = this.#shared;
    dispatcher.dispatch({ origin: this.#origin, path: this.#path, method: 'GET', headers: HEADERS }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#failure === undefined) this.#controller = controller;
    else controller.abort(this.#failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#location = headers.location;
    if (this.#hops === 0 && isPlain(headers)) this.#shared.onPlain();
  }

  onResponseData(_controller: Dispatcher.DispatchController, part: Buffer): void {
    const { maxBytes } = this.#shared.options;
    this.#size += part.byteLength;
    if (this.#size > maxBytes) this.#fail(new Error(`the answer has more than ${maxBytes} bytes`));
    else this.#parts.push(part);
  }

  onResponseEnd(): void {
    const location = this.#location;
    if (this.#status >= 300 && this.#status <= 399 && location !== undefined) return this.#follow(location);
    const [first] = this.#parts;
    const whole = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#answer({ status: this.#status, text: whole.toString('utf8') });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = 'code' in error ? error.code : undefined;
    if (this.#isSecondTry || this.#failure !== undefined || (code !== 'ECONNRESET' && code !== 'UND_ERR_SOCKET'))
      return this.#fail(error);
    // A question that left as the server closed its idle connection was never seen: it is asked once more.
    this.#isSecondTry = true;
    this.#controller = undefined;
    this.#dispatch();
  }

  #follow(location: string): void {
    const from = `${this.#origin}${this.#path}`;
    const next = URL.canParse(location, from) ? new URL(location, from) : undefined;
    this.#hops += 1;
    if (this.#hops > MAX_REDIRECTS || (next?.protocol !== 'http:' && next?.protocol !== 'https:'))
      return this.#fail(new Error(`it redirects to ${location}`));
    this.#isSecondTry = false;
    this.#controller = undefined;
    this.#origin = next.origin;
    this.#path = `${next.pathname}${next.search}`;
    this.#dispatch();
  }

  #answer({ status, text }: HttpAnswer): void {
    this.#resolve?.({ status, text });
    this.#end();
  }

  /** Closes its connection, if it has one. */
  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const controller = this.#controller;
    const giveUpPlain = this.#giveUpPlain;
    this.#reject?.(error);
    this.#end();
    giveUpPlain?.();
    controller?.abort(error);
  }

  /** What has ended holds on to nothing: the collector may come to it late, by way of another dead thing that is old. */
  #end(): void {
    if (this.#resolve === undefined) return;
    this.#timer.cancel();
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#controller = undefined;
    this.#giveUpPlain = undefined;
    this.#parts = [];
    this.#shared.onEnd(this);
  }
}
