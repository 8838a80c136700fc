import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { PostJson } from './loki.ts';

/** It was answered, and not taken. */
export class PostRefused extends Error {
  override readonly name = 'PostRefused';
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** One POST, with a connection of its own. On node:http for the same reason as `httpGet`. */
export const postJson: PostJson = (url, body, headers, timeoutMs) => {
  const send = url.protocol === 'https:' ? secureRequest : request;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const call = send(
      url,
      { method: 'POST', signal, agent: false, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (answer) => {
        const status = answer.statusCode ?? 0;
        answer.resume();
        answer.once('error', reject);
        answer.once('end', () => {
          if (status >= 200 && status < 300) resolve();
          else reject(new PostRefused(status));
        });
      },
    );
    call.once('error', (error) => reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error));
    call.end(body);
  });
};
