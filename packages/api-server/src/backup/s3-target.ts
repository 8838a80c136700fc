import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AwsClient } from 'aws4fetch';
import { words } from '../store/errors.ts';
import { backupsAmong } from './backup-name.ts';
import { BackupError, BackupErrorCode } from '../errors.ts';
import type { BackupTarget } from './target.ts';

export interface S3Options {
  /** Of a store that is not Amazon's: `https://minio.example:9000`. The bucket is put into the path there. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A question without content, and one that carries a backup. */
const QUESTION_TIMEOUT_MS = 30_000;
const COPY_TIMEOUT_MS = 60 * 60 * 1000;
const RETRIES = 3;
/** Of a thousand names each: a store that goes on for ever. */
const MAX_PAGES = 100;
/** Of an answer that says what is wrong. */
const MAX_WORDS = 300;

/** Backups as objects of a bucket. */
export function s3Target(bucket: string, prefix: string, options: S3Options): BackupTarget {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: 's3',
    region,
    retries: RETRIES,
  });
  const base =
    endpoint === undefined
      ? `https://${bucket}.s3.${region}.amazonaws.com`
      : `${endpoint.replace(/\/*$/, '')}/${bucket}`;
  const folder = prefix === '' ? '' : `${prefix}/`;
  const name = `s3://${bucket}/${prefix}`;
  const urlOf = (key: string): string => `${base}/${`${folder}${key}`.split('/').map(encodeURIComponent).join('/')}`;

  const ask = async (
    url: string,
    init: { readonly method: string; readonly body?: Blob; readonly headers?: Record<string, string> },
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Response> => {
    const limit = AbortSignal.timeout(timeoutMs);
    let answer: Response;
    try {
      answer = await client.fetch(url, {
        ...init,
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      });
    } catch (cause) {
      const reason = cause instanceof Error && cause.cause !== undefined ? words(cause.cause) : words(cause);
      throw new BackupError(BackupErrorCode.Place, `cannot reach ${name}: ${reason}`, { cause });
    }
    if (answer.ok) return answer;
    const text = await answer.text().catch(() => '');
    const reason = /<Message>([^<]*)</.exec(text)?.[1] ?? /<Code>([^<]*)</.exec(text)?.[1] ?? text;
    throw new BackupError(
      BackupErrorCode.Place,
      `${name} answers ${answer.status} to ${init.method}: ${reason.slice(0, MAX_WORDS)}`,
    );
  };

  return {
    name,
    staging: tmpdir(),
    async list(signal) {
      const keys: string[] = [];
      let token: string | undefined;
      let pages = 0;
      do {
        pages += 1;
        if (pages > MAX_PAGES)
          throw new BackupError(BackupErrorCode.Place, `${name} lists without an end: use a prefix of its own`);
        const query = new URLSearchParams({ 'list-type': '2', prefix: folder });
        if (token !== undefined) query.set('continuation-token', token);
        // Of a signed query a space is %20.
        const url = `${base}/?${query.toString().replaceAll('+', '%20')}`;
        const xml = await (await ask(url, { method: 'GET' }, QUESTION_TIMEOUT_MS, signal)).text();
        for (const [, key = ''] of xml.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(unescaped(key));
        const next = /<NextContinuationToken>([^<]*)</.exec(xml)?.[1];
        token = next === undefined ? undefined : unescaped(next);
      } while (token !== undefined);
      return backupsAmong(keys.filter((key) => key.startsWith(folder)).map((key) => key.slice(folder.length)));
    },
    async put(file, key, signal) {
      const digest = createHash('sha256');
      await pipeline(createReadStream(file), digest);
      // The store compares what arrives with this, which is part of the signature.
      const headers = { 'x-amz-content-sha256': digest.digest('hex') };
      await ask(urlOf(key), { method: 'PUT', body: await openAsBlob(file), headers }, COPY_TIMEOUT_MS, signal);
      await rm(file);
    },
    async get(key, file, signal) {
      const { body } = await ask(urlOf(key), { method: 'GET' }, COPY_TIMEOUT_MS, signal);
      await pipeline(
        body === null ? [] : Readable.fromWeb(body),
        createWriteStream(file, { mode: 0o600, flags: 'wx' }),
      );
    },
    async delete(key, signal) {
      await ask(urlOf(key), { method: 'DELETE' }, QUESTION_TIMEOUT_MS, signal);
    },
  };
}

function unescaped(xml: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return xml.replaceAll(/&(\w+);/g, (whole, name: string) => named[name] ?? whole);
}
