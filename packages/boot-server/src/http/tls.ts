import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '@ingot/net';
import { readSecretFile, type Logger } from '@ingot/daemon';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';

/** PEM files of the HTTPS listener. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  /** End of the certificate, milliseconds since the epoch. */
  readonly validUntil: number;
}

/** Follows the files of a listener. */
export interface TlsWatch {
  /** Looks at them now, and not only at its time. Never rejects. */
  look(): Promise<void>;
  stop(): void;
}

/** How often the files are looked at: a new certificate is made days before the old one ends. */
const LOOK_EVERY_MS = 60_000;

/** A certificate for 90 days is renewed a month before its end: later than this, somebody has to look. */
const WARN_BEFORE_MS = 7 * 24 * 3_600_000;

/** Rejects with BootServerError FILE_UNUSABLE when the files cannot be read or do not belong together. */
export async function loadTls({ certFile, keyFile }: TlsFiles): Promise<TlsPair> {
  let cert: string;
  let key: string;
  try {
    [cert, key] = [await readFile(certFile, 'utf8'), await readSecretFile(keyFile)];
  } catch (cause) {
    throw unusable(wordsOf(cause), cause);
  }
  // What OpenSSL says of the pair names neither the file nor the mistake.
  const leaf = parsed(() => new X509Certificate(cert), `${certFile} holds no certificate in PEM`);
  const privateKey = parsed(() => createPrivateKey(key), `${keyFile} holds no private key in PEM, or a locked one`);
  if (!leaf.checkPrivateKey(privateKey)) throw unusable(`${keyFile} is not the key of the certificate in ${certFile}`);
  parsed(() => createSecureContext({ cert, key }), `${certFile} and ${keyFile} cannot be used`);
  return { cert, key, validUntil: Date.parse(leaf.validTo) };
}

function parsed<T>(parse: () => T, otherwise: string): T {
  try {
    return parse();
  } catch (cause) {
    throw unusable(`${otherwise} (${wordsOf(cause)})`, cause);
  }
}

function unusable(words: string, cause?: unknown): BootServerError {
  return new BootServerError(BootServerErrorCode.FileUnusable, `http.tls: ${words}`, cause);
}

/**
 * Calls `use` with each new pair; a bad one is logged, and the old one stays. Says so when the certificate ends soon, and
 * when it has ended.
 */
export function watchTls(
  components: { clock: Clock; log: Logger; files: TlsFiles; use: (pair: TlsPair) => void },
  first: TlsPair,
): TlsWatch {
  const { clock, log, files, use } = components;
  let current = first;
  let complaint = '';
  let warning = '';
  const warnOfEnd = (): void => {
    const leftMs = current.validUntil - clock.now();
    if (leftMs > WARN_BEFORE_MS) return;
    const validUntil = new Date(current.validUntil).toISOString();
    const words =
      leftMs > 0
        ? `the certificate of HTTPS ends at ${validUntil}: renew ${files.certFile}`
        : `the certificate of HTTPS ended at ${validUntil}, and clients refuse it: renew ${files.certFile}`;
    if (words !== warning) log.warn({ event: 'tls.expiring', file: files.certFile, validUntil }, words);
    warning = words;
  };
  const look = async (): Promise<void> => {
    try {
      const next = await loadTls(files);
      complaint = '';
      if (next.cert !== current.cert || next.key !== current.key) {
        current = next;
        use(next);
        log.info({ event: 'tls.renewed', file: files.certFile }, 'HTTPS has a new certificate');
      }
    } catch (error) {
      const words = wordsOf(error);
      // Once for each mistake: it may stay for days.
      if (words !== complaint) log.error({ event: 'tls.refused', err: error }, 'HTTPS keeps its old certificate');
      complaint = words;
    }
    warnOfEnd();
  };
  warnOfEnd();
  const timer = clock.setInterval(() => void look(), LOOK_EVERY_MS);
  return { look, stop: () => timer.cancel() };
}
