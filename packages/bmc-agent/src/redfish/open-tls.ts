import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { BmcError, BmcErrorCode, reasonOf } from '../errors.ts';
import type { BmcTarget } from '../target.ts';

/** Whose certificates are trusted. */
export interface RedfishTrust {
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca?: string | undefined;
  /** SHA-256 of certificates, 64 hexadecimal digits; one of these is trusted whoever signed it, and no other is. */
  readonly fingerprints: readonly string[];
  /** Any certificate: whoever sits in between learns the password. */
  readonly insecure: boolean;
}

const CONNECT_MS = 10_000;

/**
 * Connects to a BMC, and resolves when its certificate is found to be right: nothing is sent before that, the password
 * least of all. Rejects with a BmcError, or the reason of the signal.
 */
export async function openTls(target: BmcTarget, trust: RedfishTrust, signal: AbortSignal): Promise<TLSSocket> {
  const isPinned = trust.fingerprints.length > 0;
  const socket = connect({
    host: target.host,
    port: target.port,
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    ...(trust.ca === undefined ? {} : { ca: trust.ca }),
    rejectUnauthorized: !isPinned && !trust.insecure,
  });
  const end = (): void => {
    socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
  };
  const opened = Promise.withResolvers<void>();
  socket.setTimeout(CONNECT_MS, () =>
    socket.destroy(unreachable(target, `no connection within ${CONNECT_MS / 1000} s`)),
  );
  socket.once('secureConnect', opened.resolve).once('error', opened.reject);
  signal.addEventListener('abort', end, { once: true });
  try {
    await opened.promise;
  } catch (error) {
    if (error instanceof BmcError || !isCertificateError(error)) throw error;
    throw untrusted(target, reasonOf(error));
  } finally {
    signal.removeEventListener('abort', end);
  }
  socket.setTimeout(0);
  const fingerprint = (socket.getPeerX509Certificate()?.fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
  if (isPinned && !trust.fingerprints.includes(fingerprint)) {
    socket.destroy();
    throw untrusted(target, `its certificate has the fingerprint ${fingerprint}, which is not in redfish.fingerprints`);
  }
  return socket;
}

/** OpenSSL's verdicts as Node names them, and that of the name in the certificate. */
function isCertificateError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|CRL/.test(code);
}

function untrusted(target: BmcTarget, words: string): BmcError {
  return new BmcError(
    BmcErrorCode.Certificate,
    `the BMC at ${target.name} is not trusted: ${words}; correct redfish.caFile or redfish.fingerprints`,
  );
}

export function unreachable(target: BmcTarget, words: string, cause?: unknown): BmcError {
  return new BmcError(
    BmcErrorCode.Unreachable,
    `the BMC at ${target.name} does not answer (${words}): look at its cable and address, and whether Redfish is enabled`,
    cause,
  );
}
