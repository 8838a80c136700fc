import { generateKeyPairSync } from 'node:crypto';

export interface SshKeyPair {
  /** PEM, as `ssh -i` reads it. */
  readonly privateKey: string;
  /** As in `authorized_keys`, base64: what stands behind the name of the type. */
  readonly publicKey: string;
}

/** The only type that is made, and that a machine's host key may have. */
export const SSH_KEY_TYPE = 'ecdsa-sha2-nistp256';

/** What every public key of that type begins with (RFC 5656 §3.1): its type, its curve, and an uncompressed point. */
const PREFIX = Buffer.concat([sshString(SSH_KEY_TYPE), sshString('nistp256'), Buffer.from([0, 0, 0, 65, 4])]);

/** A new key pair on the curve P-256: node:crypto writes its private key as OpenSSH reads it, which it does not of Ed25519. */
export function makeSshKeyPair(): SshKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return {
    privateKey: privateKey.export({ type: 'sec1', format: 'pem' }),
    publicKey: encodeSshPublicKey({ x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') }),
  };
}

/** Both coordinates have 32 bytes, leading zeros included. */
export function encodeSshPublicKey({ x, y }: { readonly x: Uint8Array; readonly y: Uint8Array }): string {
  return Buffer.concat([PREFIX, x, y]).toString('base64');
}

/** Whether `text` is a public key of that type in base64, and nothing besides: it goes into files that ssh reads. */
export function isSshPublicKey(text: string): boolean {
  const key = Buffer.from(text, 'base64');
  return (
    key.length === PREFIX.length + 2 * 32 &&
    key.subarray(0, PREFIX.length).equals(PREFIX) &&
    key.toString('base64') === text
  );
}

function sshString(text: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([head, Buffer.from(text)]);
}
