import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '@ingot/net';

export interface HttpGetOptions {
  readonly clock: Clock;
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
  /** Rejects with what went wrong, in words. */
  get(url: string): Promise<HttpAnswer>;
  close(): void;
}

/** As many as Go's client follows. */
const MAX_REDIRECTS = 10;

/** Small GETs of one server, many at once. */
export function httpGet(options: HttpGetOptions): HttpGet {
  const { clock, timeoutMs, concurrency, maxBytes } = options;
  // The deadline is the clock's: undici's own would count the parts of an answer one by one.
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

  const ask = (url: URL, deadline: Deadline): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const question = new Question(maxBytes, resolve, reject);
      deadline.onOver = () => question.fail(new Error('its time is over'));
      const { origin, pathname, search } = url;
      dispatcher.dispatch({ origin, path: `${pathname}${search}`, method: 'GET', headers: HEADERS }, question);
    });
  /** A question that left as the server closed its idle connection was never seen: it is asked once more. */
  const askTwice = async (url: URL, deadline: Deadline): Promise<Reply> => {
    try {
      return await ask(url, deadline);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ECONNRESET' && code !== 'UND_ERR_SOCKET') throw error;
      return await ask(url, deadline);
    }
  };
  return {
    get: async (url) => {
      const deadline: Deadline = { isOver: false, onOver: () => undefined };
      const timer = clock.setTimeout(() => {
        deadline.isOver = true;
        deadline.onOver();
      }, timeoutMs);
      try {
        let at = new URL(url);
        for (let hops = 0; ; hops += 1) {
          const { status, text, location } = await askTwice(at, deadline);
          if (status < 300 || status > 399 || location === undefined) return { status, text };
          if (hops >= MAX_REDIRECTS || !URL.canParse(location, at)) throw new Error(`it redirects to ${location}`);
          at = new URL(location, at);
          if (at.protocol !== 'http:' && at.protocol !== 'https:') throw new Error(`it redirects to ${location}`);
        }
      } catch (error) {
        if (deadline.isOver) throw new Error(`no answer within ${timeoutMs} ms`, { cause: error });
        throw error;
      } finally {
        timer.cancel();
      }
    },
    close: () => {
      dispatcher.destroy().catch(() => undefined);
    },
  };
}

const HEADERS = { accept: 'application/json' };

interface Reply extends HttpAnswer {
  readonly location: string | undefined;
}

interface Deadline {
  isOver: boolean;
  onOver: () => void;
}

/** One GET. Streams and abort signals, as undici's `request` has them, would cost as much again as the question. */
class Question implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: Error) => void;
  readonly #parts: Buffer[] = [];
  #size = 0;
  #status = 0;
  #location: string | undefined;
  /** Undefined while it waits for a connection. */
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;

  constructor(maxBytes: number, resolve: (reply: Reply) => void, reject: (error: Error) => void) {
    this.#maxBytes = maxBytes;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Closes its connection, if it has one. */
  fail(error: Error): void {
    this.#failure = error;
    this.#controller?.abort(error);
    this.#reject(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure !== undefined) controller.abort(this.#failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#location = headers.location;
  }

  onResponseData(_controller: Dispatcher.DispatchController, part: Buffer): void {
    this.#size += part.byteLength;
    if (this.#size > this.#maxBytes) this.fail(new Error(`the answer has more than ${this.#maxBytes} bytes`));
    else this.#parts.push(part);
  }

  onResponseEnd(): void {
    const [first] = this.#parts;
    const whole = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#resolve({ status: this.#status, text: whole.toString('utf8'), location: this.#location });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}
