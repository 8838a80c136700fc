import { readSecretFile } from '@ingot/daemon';
import { BackupError, BackupErrorCode } from '../errors.ts';

const KEY_LENGTH = 32;

/** Reads a key of 32 bytes, as base64 or hexadecimal digits, from a file that nobody else can read. */
export async function readBackupKey(file: string): Promise<Buffer> {
  const text = await readSecretFile(file);
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length !== KEY_LENGTH || !/^(?:[0-9a-f]{64}|[\w+/-]{43}=?)$/i.test(text)) {
    throw new BackupError(
      BackupErrorCode.Key,
      `${file} holds no key: it takes 32 bytes as base64 or hexadecimal digits; make one with ` +
        `(umask 077; openssl rand -base64 32 > ${file}), and keep a copy elsewhere`,
    );
  }
  return key;
}
