import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Clock } from '@ingot/net';
import { AwsClient } from 'aws4fetch';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { backupsAmong } from './backup-name.ts';
import { downloadFromS3 } from './s3-download.ts';
import { s3Requests } from './s3-requests.ts';
import { unescaped, uploadToS3 } from './s3-upload.ts';
import type { BackupTarget } from './target.ts';

export interface S3Options {
  /** Of a store that is not Amazon's: `https://minio.example:9000`. The bucket is put into the path there. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Longest content of one request, bytes; from 5 MiB. Default 64 MiB. */
  readonly partBytes?: number | undefined;
}

const QUESTION_TIMEOUT_MS = 30_000;
/** Of a thousand names each: a store that goes on for ever. */
const MAX_PAGES = 100;

/** Backups as objects of a bucket. */
export function s3Target(bucket: string, prefix: string, options: S3Options, clock: Clock): BackupTarget {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken, partBytes } = options;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: 's3',
    region,
  });
  const base =
    endpoint === undefined
      ? `https://${bucket}.s3.${region}.amazonaws.com`
      : `${endpoint.replace(/\/*$/, '')}/${bucket}`;
  const folder = prefix === '' ? '' : `${prefix}/`;
  const name = `s3://${bucket}/${prefix}`;
  const urlOf = (key: string): string => `${base}/${`${folder}${key}`.split('/').map(encodeURIComponent).join('/')}`;
  const requests = s3Requests(name, client, clock);

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
        const read = (answer: Response): Promise<string> => answer.text();
        const xml = await requests.ask(url, { method: 'GET' }, { timeoutMs: QUESTION_TIMEOUT_MS, signal, read });
        for (const [, key = ''] of xml.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(unescaped(key));
        const next = /<NextContinuationToken>([^<]*)</.exec(xml)?.[1];
        token = next === undefined ? undefined : unescaped(next);
      } while (token !== undefined);
      return backupsAmong(keys.filter((key) => key.startsWith(folder)).map((key) => key.slice(folder.length)));
    },
    async put(file, key, signal) {
      await uploadToS3(requests, urlOf(key), file, { partBytes, signal });
      await rm(file);
    },
    get: (key, file, signal) => downloadFromS3(requests, urlOf(key), file, { clock, signal }),
    delete: (key, signal) =>
      requests.ask(urlOf(key), { method: 'DELETE' }, { timeoutMs: QUESTION_TIMEOUT_MS, signal, read: () => undefined }),
  };
}
