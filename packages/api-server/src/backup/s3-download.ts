import { open } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import { BackupError, BackupErrorCode } from '../errors.ts';
import { PassingS3Error, reasonOf, type S3Requests } from './s3-requests.ts';

/** A copy of which nothing comes for so long has broken off. */
const STALL_MS = 60_000;

/** Copies an object into a file that does not exist yet. What breaks off goes on where it was. */
export async function downloadFromS3(
  requests: S3Requests,
  url: string,
  file: string,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await using target = await open(file, 'wx', 0o600);
  let have = 0;
  let mark: string | undefined;
  const goOn = async (): Promise<void> => {
    const from = have;
    using stall = stallWatch(clock);
    const limits = signal === undefined ? stall.signal : AbortSignal.any([signal, stall.signal]);
    const headers = from === 0 ? {} : { range: `bytes=${from}-`, ...(mark === undefined ? {} : { 'if-match': mark }) };
    const answer = await requests.once(url, { method: 'GET', headers }, limits);
    if (from > 0 && answer.status !== 206)
      throw new BackupError(
        BackupErrorCode.Place,
        `${requests.name} does not go on with a copy that broke off: try again`,
      );
    mark ??= answer.headers.get('etag') ?? undefined;
    const length = Number(answer.headers.get('content-length') ?? Number.NaN);
    try {
      for await (const chunk of answer.body ?? []) {
        stall.moved();
        await target.writeFile(chunk);
        have += chunk.length;
      }
    } catch (cause) {
      throw broken(requests, reasonOf(stall.signal.aborted ? stall.signal.reason : cause), cause);
    }
    if (have - from < length) throw broken(requests, `${have - from} of ${length} bytes`);
  };
  for (;;) {
    const before = have;
    try {
      return await requests.persistently(goOn, signal);
    } catch (error) {
      // Whoever gets on a little each time will arrive.
      if (!(error instanceof PassingS3Error) || have === before || signal?.aborted === true) throw error;
    }
  }
}

function broken({ name }: S3Requests, reason: string, cause?: unknown): PassingS3Error {
  return new PassingS3Error(BackupErrorCode.Place, `the copy from ${name} broke off: ${reason}`, { cause });
}

function stallWatch(clock: Clock): Disposable & { readonly signal: AbortSignal; moved(): void } {
  const stalled = new AbortController();
  const start = () =>
    clock.setTimeout(() => stalled.abort(new Error(`nothing came for ${STALL_MS / 1000} s`)), STALL_MS);
  let timer = start();
  return {
    signal: stalled.signal,
    moved() {
      timer.cancel();
      timer = start();
    },
    [Symbol.dispose]: () => timer.cancel(),
  };
}
