import type { Clock } from '@ingot/net';
import type { AwsClient } from 'aws4fetch';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { words } from '../store/errors.ts';

/** Signed requests to one bucket. */
export interface S3Requests {
  /** Of the place, for people. */
  readonly name: string;
  /** One try. Throws `BackupError` for every answer that is none of success. */
  once(url: string, init: S3Request, signal?: AbortSignal): Promise<Response>;
  /** Tries again what may succeed then: the store was out of reach, overloaded, or failed inside. */
  persistently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** `once`, within a time and persistently, with what `read` makes of the answer. */
  ask<T>(url: string, init: S3Request, options: AskOptions<T>): Promise<T>;
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly body?: Blob | string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface AskOptions<T> {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly read: (answer: Response) => Promise<T> | T;
}

/** It may go away by itself. */
export class PassingS3Error extends BackupError {}

/** Besides those from 500: a time that was exceeded on the store's side, and too many requests. */
const PASSING: ReadonlySet<number> = new Set([408, 429]);
const MAX_RETRIES = 3;
const FIRST_RETRY_MS = 500;
/** Of an answer that says what is wrong. */
const MAX_WORDS = 300;

export function s3Requests(name: string, client: Pick<AwsClient, 'sign'>, clock: Clock): S3Requests {
  const once: S3Requests['once'] = async (url, init, signal) => {
    let answer: Response;
    try {
      answer = await fetch(await client.sign(url, { ...init, signal: signal ?? null }));
    } catch (cause) {
      throw new PassingS3Error(BackupErrorCode.Place, `cannot reach ${name}: ${reasonOf(cause)}`, { cause });
    }
    if (answer.ok) return answer;
    const text = await answer.text().catch(() => '');
    throw storeError(`${name} answers ${answer.status} to ${init.method}`, text, answer.status);
  };
  const persistently: S3Requests['persistently'] = async (work, signal) => {
    for (let retries = 0; ; retries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof PassingS3Error) || retries === MAX_RETRIES || signal?.aborted === true) throw error;
      }
      await clock.sleep(FIRST_RETRY_MS * 2 ** retries, signal);
    }
  };
  return {
    name,
    once,
    persistently,
    ask: (url, init, { timeoutMs, signal, read }) =>
      persistently(async () => {
        const limit = AbortSignal.timeout(timeoutMs);
        const answer = await once(url, init, signal === undefined ? limit : AbortSignal.any([signal, limit]));
        try {
          return await read(answer);
        } catch (cause) {
          if (cause instanceof BackupError) throw cause;
          throw new PassingS3Error(BackupErrorCode.Place, `${name} broke off: ${reasonOf(cause)}`, { cause });
        }
      }, signal),
  };
}

/** What a store says is wrong, in XML. */
export function storeError(what: string, xml: string, status: number): BackupError {
  const code = /<Code>([^<]*)</.exec(xml)?.[1];
  const reason = /<Message>([^<]*)</.exec(xml)?.[1] ?? code ?? xml;
  const mayPass = status >= 500 || PASSING.has(status) || code === 'RequestTimeout';
  const message = `${what}: ${reason.slice(0, MAX_WORDS)}`;
  return mayPass ? new PassingS3Error(BackupErrorCode.Place, message) : new BackupError(BackupErrorCode.Place, message);
}

export function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? words(error.cause) : words(error);
}
