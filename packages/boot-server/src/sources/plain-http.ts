import { connect, type Socket } from 'node:net';

/**
 * What came of a question. `unusual`: answers have a form that is not read here. `lost`: this one did not come, or is not
 * read here. Neither says what is wrong with the source: a whole HTTP client finds that out.
 */
export type PlainOutcome =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'unusual' | 'lost' };

export interface PlainHttp {
  /**
   * `path` goes out as it stands: visible ASCII, no blanks. `onOutcome` is called once, later. The result gives the
   * question up, if it is still open: then it is not called.
   */
  get(path: string, onOutcome: (outcome: PlainOutcome) => void): () => void;
  close(): void;
}

const READ_BYTES = 65_536;
const MAX_HEAD_BYTES = 16_384;
/** An answer in more pieces than that is not read here: they are put together anew with each. */
const MAX_READS = 16;
/** As undici has it, and less than the 5 s after which Node's servers close: a question should not meet a closing door. */
const IDLE_MS = 4_000;

/**
 * Small GETs of one `http:` server over connections that stay open, where its answers are HTTP at its plainest: status,
 * Content-Length, body. As many connections as there are questions at once.
 */
export function plainHttp(origin: URL, maxBytes: number): PlainHttp {
  const { host, hostname, port } = origin;
  const target = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port === '' ? 80 : port) };
  const tail = ` HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\naccept: application/json\r\n\r\n`;
  // Each read is used up before the next: one buffer serves all connections.
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const all = new Set<Connection>();
  const idle: Connection[] = [];
  const open = (): Connection => {
    const connection: Connection = new Connection(maxBytes, {
      buffer,
      target,
      onFree: () => void idle.push(connection),
      onClosed: () => {
        all.delete(connection);
        const at = idle.indexOf(connection);
        if (at >= 0) idle.splice(at, 1);
      },
    });
    all.add(connection);
    return connection;
  };
  return {
    get: (path, onOutcome) => {
      // The last one that was free is the least likely to be closed by now.
      const connection = idle.pop() ?? open();
      connection.ask(`GET ${path}${tail}`, onOutcome);
      return () => connection.giveUp(onOutcome);
    },
    close: () => {
      for (const connection of all) connection.end();
    },
  };
}

interface ConnectionOptions {
  readonly buffer: Buffer;
  readonly target: { readonly host: string; readonly port: number };
  /** It has answered, and takes the next question. */
  readonly onFree: () => void;
  readonly onClosed: () => void;
}

/** One question at a time. */
class Connection {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  readonly #options: ConnectionOptions;
  #onOutcome: ((outcome: PlainOutcome) => void) | undefined;
  /** What came of an answer that is not whole yet, and in how many reads. */
  #part: Buffer | undefined;
  #reads = 0;

  constructor(maxBytes: number, options: ConnectionOptions) {
    const { buffer, target, onClosed } = options;
    this.#maxBytes = maxBytes;
    this.#options = options;
    this.#socket = connect({
      ...target,
      noDelay: true,
      // The streams of Node would cost as much as all the rest.
      onread: {
        buffer,
        callback: (size) => {
          this.#read(buffer.subarray(0, size));
          return true;
        },
      },
    });
    this.#socket.setTimeout(IDLE_MS, () => {
      if (this.#onOutcome === undefined) this.end();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('end', () => this.end());
    this.#socket.on('close', () => {
      onClosed();
      this.#settle({ kind: 'lost' });
    });
  }

  ask(head: string, onOutcome: (outcome: PlainOutcome) => void): void {
    this.#onOutcome = onOutcome;
    this.#socket.write(head, 'latin1');
  }

  /** Closes it with its question, and with no other. */
  giveUp(onOutcome: (outcome: PlainOutcome) => void): void {
    if (this.#onOutcome !== onOutcome) return;
    this.#onOutcome = undefined;
    this.end();
  }

  end(): void {
    this.#socket.destroy();
  }

  #settle(outcome: PlainOutcome): void {
    const onOutcome = this.#onOutcome;
    this.#onOutcome = undefined;
    this.#part = undefined;
    this.#reads = 0;
    onOutcome?.(outcome);
  }

  #read(part: Buffer): void {
    // What nobody asked for belongs to no question.
    if (this.#onOutcome === undefined) return this.end();
    const bytes = this.#part === undefined ? part : Buffer.concat([this.#part, part]);
    this.#reads += 1;
    const outcome = readPlainAnswer(bytes, this.#maxBytes) ?? (this.#reads < MAX_READS ? undefined : LOST);
    if (outcome === undefined) {
      // The buffer will be read into again.
      this.#part = Buffer.from(bytes);
      return;
    }
    if (outcome.kind === 'answer') this.#options.onFree();
    else this.end();
    this.#settle(outcome);
  }
}

const LOST = { kind: 'lost' } as const;
const UNUSUAL = { kind: 'unusual' } as const;

/** Undefined: there is more to come. */
function readPlainAnswer(bytes: Buffer, maxBytes: number): PlainOutcome | undefined {
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  if (end < 0) return bytes.byteLength > MAX_HEAD_BYTES ? UNUSUAL : undefined;
  const head = readHead(bytes.toString('latin1', 0, end));
  if (head === undefined) return UNUSUAL;
  if (head.length > maxBytes) return LOST;
  const start = end + 4;
  const missing = start + head.length - bytes.byteLength;
  if (missing > 0) return undefined;
  if (missing < 0) return UNUSUAL;
  return { kind: 'answer', status: head.status, text: bytes.toString('utf8', start) };
}

/** Redirects, answers without a body and those that others follow are for a whole HTTP client. */
const STATUS_LINE = /^HTTP\/1\.1 (200|[45]\d\d)(?: [^\r\n]*)?$/;
const FIELD = /^([\w-]+):[ \t]*([^\r\n]*)$/;

function readHead(text: string): { readonly status: number; readonly length: number } | undefined {
  const [first = '', ...fields] = text.split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  let length: number | undefined;
  for (const line of fields) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case 'content-length':
        if (length !== undefined || !/^\d{1,9}$/.test(value)) return undefined;
        length = Number(value);
        break;
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return undefined;
        break;
      case '':
      case 'transfer-encoding':
      case 'content-encoding':
      case 'upgrade':
        return undefined;
      default:
    }
  }
  return status === undefined || length === undefined ? undefined : { status: Number(status), length };
}
