import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** A store of images on loopback, as an object store answers: ETag, Range, If-Range, checksum files. */
export interface ImageStoreServer {
  readonly url: string;
  /** Path → content. */
  readonly files: Map<string, Buffer>;
  /** `GET /path 206`, in order. */
  readonly answers: string[];
  /** Called before each GET of a file; what it returns is how many bytes go out before the line is cut. */
  cutAfter: ((path: string) => number | undefined) | undefined;
  /** Answers 503 to everything. */
  isAway: boolean;
  /** Tells no ETag. */
  hasNoEtags: boolean;
  etagOf: (body: Buffer) => string;
}

export async function imageStoreServer(): Promise<ImageStoreServer> {
  const files = new Map<string, Buffer>();
  const state = {
    files,
    answers: [] as string[],
    cutAfter: undefined,
    isAway: false,
    hasNoEtags: false,
    url: '',
    etagOf: (body: Buffer): string => `"${createHash('sha1').update(body).digest('hex')}"`,
  };
  const store: ImageStoreServer & { url: string } = state;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = new URL(request.url ?? '/', 'http://store').pathname;
    const end = (status: number, headers: Record<string, string | number>, body?: Buffer): void => {
      store.answers.push(`${request.method} ${path} ${status}`);
      response.writeHead(status, headers);
      const cut = request.method === 'GET' ? store.cutAfter?.(path) : undefined;
      if (body !== undefined && cut !== undefined && cut < body.byteLength) {
        void sendAndCut(response, body.subarray(0, cut));
        return;
      }
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    if (store.isAway) return end(503, {});
    const body = files.get(path);
    if (body === undefined) return end(404, {});
    const etag = store.etagOf(body);
    const common: Record<string, string> = store.hasNoEtags ? {} : { etag };
    const { range } = request.headers;
    const first = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? Number.NaN);
    if (Number.isInteger(first) && request.headers['if-range'] === etag) {
      if (first >= body.byteLength) return end(416, common);
      return end(
        206,
        {
          ...common,
          'content-range': `bytes ${first}-${body.byteLength - 1}/${body.byteLength}`,
          'content-length': body.byteLength - first,
        },
        body.subarray(first),
      );
    }
    end(200, { ...common, 'content-length': body.byteLength }, body);
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the store listens nowhere');
  store.url = `http://127.0.0.1:${address.port}`;
  return store;
}

/** In pieces, so that the client takes most of them before the line is cut: what it has not read by then, it loses. */
async function sendAndCut(response: ServerResponse, body: Buffer): Promise<void> {
  const pieceBytes = 10_000;
  for (let position = 0; position < body.byteLength; position += pieceBytes) {
    await new Promise<void>((resolve) => {
      response.write(body.subarray(position, position + pieceBytes), () => setImmediate(resolve));
    });
  }
  response.destroy();
}
