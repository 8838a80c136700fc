import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '@ingot/net';
import { readSecretFile, type Logger } from '@ingot/daemon';
import { BootServerError, BootServerErrorCode } from '../errors.ts';

/** PEM files of the HTTPS listener. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** How often the files are looked at: a new certificate is made days before the old one ends. */
const LOOK_EVERY_MS = 60_000;

/** Rejects with BootServerError CONFIG_INVALID when the files cannot be read or do not belong together. */
export async function loadTls({ certFile, keyFile }: TlsFiles): Promise<TlsPair> {
  try {
    const pair = { cert: await readFile(certFile, 'utf8'), key: await readSecretFile(keyFile) };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new BootServerError(
      BootServerErrorCode.ConfigInvalid,
      `http.tls: ${certFile} and ${keyFile}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  }
}

/** Calls `use` with each new pair; a bad one is logged, and the old one stays. Returns the end of it. */
export function watchTls(
  components: { clock: Clock; log: Logger; files: TlsFiles; use: (pair: TlsPair) => void },
  first: TlsPair,
): () => void {
  const { clock, log, files, use } = components;
  let current = first;
  let complaint = '';
  const look = async (): Promise<void> => {
    try {
      const next = await loadTls(files);
      complaint = '';
      if (next.cert === current.cert && next.key === current.key) return;
      current = next;
      use(next);
      log.info({ event: 'tls.renewed', file: files.certFile }, 'HTTPS has a new certificate');
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      // Once for each mistake: it may stay for days.
      if (words !== complaint) log.error({ event: 'tls.refused', err: error }, 'HTTPS keeps its old certificate');
      complaint = words;
    }
  };
  const timer = clock.setInterval(() => void look(), LOOK_EVERY_MS);
  return () => timer.cancel();
}
