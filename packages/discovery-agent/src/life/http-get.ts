import { request } from 'node:http';
import { request as secureRequest } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Server's clock, milliseconds since the epoch, from the `Date` header; `undefined` without one. */
  readonly dateMs: number | undefined;
}

const maxBodyBytes = 1 << 20;

/**
 * One GET. Written on node:http, since loading the machinery behind `fetch` costs a slow CPU a second.
 *
 * Rejects when nothing answers within `timeoutMs`, or the body is longer than 1 MiB.
 */
export function httpGet(url: URL, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer> {
  const send = url.protocol === 'https:' ? secureRequest : request;
  return new Promise((resolve, reject) => {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const call = send(url, { signal: deadline, headers: { accept: 'application/json' }, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBodyBytes) answer.destroy(new Error(`the answer is longer than ${maxBodyBytes} bytes`));
        else chunks.push(chunk);
      });
      answer.once('error', reject);
      answer.once('end', () => {
        const date = Date.parse(answer.headers.date ?? '');
        resolve({
          status: answer.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
          dateMs: Number.isNaN(date) ? undefined : date,
        });
      });
    });
    call.once('error', (error) => {
      reject(deadline.aborted && !signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error);
    });
    call.end();
  });
}
