// @peculiar/x509 registers its parts by decorators, which need this before it is loaded.
import 'reflect-metadata';
import { createPrivateKey, KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as PeculiarCertificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its private key, both PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };
const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3650;
/** What browsers and Go accept at most for a server certificate. */
const SERVER_DAYS = 397;
/** Clocks of machines that have just been switched on are often behind. */
const BACKDATED_MS = DAY_MS;

/** Makes a self-signed authority. `now` is in milliseconds since the epoch. */
export async function createAuthority(now: number, serialNumber: string): Promise<Identity> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber,
      name: `CN=ingot api authority ${serialNumber.slice(0, 8)}`,
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
      signingAlgorithm: SIGNING,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { cert: pem(certificate), key: privatePem(keys.privateKey) };
}

/** Makes a server certificate for host names and IP addresses, signed by `authority`. */
export async function createServerIdentity(
  authority: Identity,
  names: readonly string[],
  now: number,
  serialNumber: string,
): Promise<Identity> {
  const keys = await generateKeys();
  const issuer = new PeculiarCertificate(authority.cert);
  const signingKey = createPrivateKey(authority.key).toCryptoKey(CURVE, false, ['sign']);
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber,
      subject: 'CN=ingot api server',
      issuer: issuer.subject,
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(Math.min(now + SERVER_DAYS * DAY_MS, issuer.notAfter.getTime())),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: SIGNING,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? ('dns' as const) : ('ip' as const), value: name })),
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ],
    },
    webcrypto,
  );
  return { cert: pem(certificate), key: privatePem(keys.privateKey) };
}

/** Why a server certificate has to be replaced; undefined if it need not be. Throws if it is no certificate at all. */
export function whyRenew(
  server: Identity,
  authority: Identity,
  names: readonly string[],
  now: number,
): string | undefined {
  const certificate = new X509Certificate(server.cert);
  if (!certificate.checkPrivateKey(createPrivateKey(server.key))) return 'its key is another one';
  if (!certificate.verify(new X509Certificate(authority.cert).publicKey)) return 'another authority has signed it';
  const validTo = Date.parse(certificate.validTo);
  const lifetime = validTo - Date.parse(certificate.validFrom);
  if (now < Date.parse(certificate.validFrom)) return `it begins only on ${certificate.validFrom}`;
  // Two thirds through, as usual with short-lived certificates.
  if (now > validTo - lifetime / 3) return `it ends on ${certificate.validTo}`;
  const missing = names.filter((name) => certificateCovers(certificate, name) === undefined);
  return missing.length > 0 ? `it lacks ${missing.join(', ')}` : undefined;
}

/** Why nobody trusts an authority now, by the clock of this host; undefined if they do. */
export function whyUntrusted({ cert }: Identity, now: number): string | undefined {
  const { validFrom, validTo } = new X509Certificate(cert);
  if (now < Date.parse(validFrom)) return `begins only on ${validFrom}`;
  return now > Date.parse(validTo) ? `ended on ${validTo}` : undefined;
}

function certificateCovers(certificate: X509Certificate, name: string): string | undefined {
  return isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
}

function pem(certificate: PeculiarCertificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

function privatePem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' });
}
