import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { DaemonError, DaemonErrorCode } from './errors.ts';

const OTHERS_MAY_READ_OR_WRITE = 0o006;
const GROUP_MAY_WRITE = 0o020;
// Larger than any token or key; keeps a wrong path (a device, a log) from being swallowed whole.
const MAX_BYTES = 64 * 1024;

/**
 * Reads a secret from a file, without the white space around it. Rejects with DAEMON_SECRET_FILE when the file is
 * missing, empty, over 64 KiB, no regular file, or open to others; the message holds the command that mends it.
 */
export async function readSecretFile(path: string): Promise<string> {
  const file = await openSecret(path);
  try {
    // Asked of the open file, so that nobody can swap it between the question and the reading.
    const { mode, size } = await file.stat();
    if ((mode & 0o170_000) !== 0o100_000)
      throw refuse(path, 'it is no regular file; name the file that holds the secret');
    if ((mode & (OTHERS_MAY_READ_OR_WRITE | GROUP_MAY_WRITE)) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      throw refuse(path, `mode ${octal} lets others use it; run: chmod 0600 ${shellWord(path)}`);
    }
    if (size > MAX_BYTES) throw refuse(path, `${size} bytes are too many for a secret (at most ${MAX_BYTES})`);
    const text = (await file.readFile('utf8')).trim();
    if (text === '') throw refuse(path, 'it is empty; write the secret into it');
    return text;
  } finally {
    await file.close();
  }
}

async function openSecret(path: string): Promise<FileHandle> {
  try {
    // A FIFO would be waited for.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw refuse(path, error instanceof Error ? error.message : String(error), error);
  }
}

function refuse(path: string, words: string, cause?: unknown): DaemonError {
  return new DaemonError(DaemonErrorCode.SecretFile, `cannot use the secret in ${path}: ${words}`, cause);
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
