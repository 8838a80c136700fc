import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSecretFile } from '@ingot/daemon';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { KEY_BYTES, type SigningKeys } from './seals.ts';

/**
 * The keys of `http.signing`: the current one first. Without `keyFile` this server's own is made in `dataDir`, for its
 * owner only. Rejects with BootServerError CONFIG_INVALID.
 */
export async function loadSigningKeys(options: {
  dataDir: string;
  keyFile?: string | undefined;
  previousKeyFile?: string | undefined;
}): Promise<SigningKeys> {
  const { dataDir, keyFile, previousKeyFile } = options;
  const own = join(dataDir, 'signing.key');
  if (keyFile === undefined) await makeKeyFile(own);
  return [await readKey(keyFile ?? own), ...(previousKeyFile === undefined ? [] : [await readKey(previousKeyFile)])];
}

async function makeKeyFile(path: string): Promise<void> {
  try {
    // Exclusive: a key that is there stays.
    await writeFile(path, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw refuse(path, error);
  }
}

async function readKey(path: string): Promise<Uint8Array> {
  let text: string;
  try {
    text = await readSecretFile(path);
  } catch (error) {
    throw refuse(path, error);
  }
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new BootServerError(
      BootServerErrorCode.FileUnusable,
      `http.signing: ${path} does not hold 64 hex digits; make a key with: openssl rand -hex 32`,
    );
  return Buffer.from(text, 'hex');
}

function refuse(path: string, cause: unknown): BootServerError {
  const words = wordsOf(cause);
  return new BootServerError(BootServerErrorCode.FileUnusable, `http.signing: ${path}: ${words}`, cause);
}
