import { createDecipheriv } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readSecretFile } from '@ingot/daemon';
import { BackupError, BackupErrorCode } from '../errors.ts';

const KEY_LENGTH = 32;
const IV_BYTES = 16;

/**
 * Decrypts a `.aes` file of metal-stack's backup-restore-sidecar: AES-256-CTR, the initial counter block at the end of
 * the file, and nothing that would show damage or a wrong key. The key is a text of 32 characters. `output` must not
 * exist. Answers what the result looks like, undefined for nothing known: then it was probably another key.
 */
export async function decryptSidecarFile(
  file: string,
  keyFile: string,
  output: string,
): Promise<'gzip' | 'lz4' | 'tar' | undefined> {
  const key = await readSecretFile(keyFile);
  if (key.length !== KEY_LENGTH || !/^[\x20-\x7e]*$/.test(key)) {
    throw new BackupError(
      BackupErrorCode.Key,
      `${keyFile} does not hold exactly ${KEY_LENGTH} characters, as the sidecar's key does`,
    );
  }
  await using source = await open(file, 'r').catch((cause: unknown) => {
    throw new BackupError(BackupErrorCode.Place, `cannot read ${file}: ${String(cause)}`, { cause });
  });
  const { size } = await source.stat();
  if (size < IV_BYTES)
    throw new BackupError(BackupErrorCode.Damaged, `${file} is too short: it lacks its initial counter block`);
  const iv = Buffer.alloc(IV_BYTES);
  await source.read(iv, 0, IV_BYTES, size - IV_BYTES);
  try {
    await pipeline(
      size === IV_BYTES
        ? []
        : createReadStream(file, { fd: source, autoClose: false, start: 0, end: size - IV_BYTES - 1 }),
      createDecipheriv('aes-256-ctr', Buffer.from(key, 'latin1'), iv),
      createWriteStream(output, { mode: 0o600, flags: 'wx', flush: true }),
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new BackupError(BackupErrorCode.NotEmpty, `there is a file ${output}: move it away, or name another`, {
        cause: error,
      });
    }
    await rm(output, { force: true });
    throw error;
  }
  return looksLike(output);
}

async function looksLike(path: string): Promise<'gzip' | 'lz4' | 'tar' | undefined> {
  await using file = await open(path, 'r');
  const head = Buffer.alloc(263);
  await file.read(head, 0, head.length, 0);
  if (head.readUInt16BE() === 0x1f8b) return 'gzip';
  if (head.readUInt32LE() === 0x184d2204) return 'lz4';
  return head.toString('latin1', 257, 262) === 'ustar' ? 'tar' : undefined;
}
