import { TftpErrorCode } from '@ingot/wire';
import type { ArtifactStore } from '../artifacts/store.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import type { PublishedClient, PublishedContent } from '../published/published-content.ts';
import type { TftpContent } from './engine.ts';
import type { FailureLog } from './failure-log.ts';

export interface OpenComponents {
  readonly artifacts: ArtifactStore;
  readonly published: PublishedContent;
  readonly warn: FailureLog;
}

export type Opened =
  | { readonly ok: true; readonly content: TftpContent & Disposable }
  | { readonly ok: false; readonly code: number; readonly reason: string; readonly message: string };

/** Opens a published name for one client, who is told what is wrong with it in TFTP's words. */
export async function openContent(components: OpenComponents, file: string, client: PublishedClient): Promise<Opened> {
  const published = await components.published.open(file, client);
  if (published === undefined)
    return {
      ok: false,
      code: TftpErrorCode.FILE_NOT_FOUND,
      reason: 'unknown-file',
      message: 'no such file is published',
    };
  if (published.kind === 'text') return { ok: true, content: textContent(published.text) };
  try {
    return { ok: true, content: await components.artifacts.get(published.uri, published) };
  } catch (error) {
    const isRefused = error instanceof BootServerError && error.code === BootServerErrorCode.ArtifactRefused;
    const words = wordsOf(error);
    components.warn(client.source, { err: error, file }, `${file} cannot be served: ${words}`);
    if (isRefused)
      return {
        ok: false,
        code: TftpErrorCode.ACCESS_VIOLATION,
        reason: 'file-refused',
        message: 'this file may not be read',
      };
    return {
      ok: false,
      code: TftpErrorCode.FILE_NOT_FOUND,
      reason: 'file-unavailable',
      message: 'this file cannot be read',
    };
  }
}

function textContent(text: string): TftpContent & Disposable {
  const bytes = Buffer.from(text);
  return {
    sizeBytes: bytes.byteLength,
    fd: undefined,
    read: (position, length) => bytes.subarray(position, position + length),
    [Symbol.dispose]: () => undefined,
  };
}
