import { createReadStream, readFileSync } from 'node:fs';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'you may not read it',
  EPERM: 'you may not read it',
};

/** A small file as text. `what` says what it is for. Throws CliError. */
export function readText(file: string, what?: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(what === undefined ? file : `${file} (${what})`, error);
  }
}

/** Somebody's file, or standard input for `-`, as far as `mostBytes`. Throws CliError, also for one that is longer. */
export async function readInput(io: CliIo, file: string, mostBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    // Not by reading from descriptor 0: where that does not block, whoever is slower than this program has sent nothing yet.
    for await (const chunk of file === '-' ? (io.stdin?.() ?? []) : createReadStream(file)) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > mostBytes)
        throw new CliError(CliErrorCode.Argument, `${nameOf(file)} is larger than ${mostBytes} bytes: split it`);
      chunks.push(part);
    }
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(nameOf(file), error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What a file is called in messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** Why a file cannot be read, in words. */
export function unreadable(name: string, error: unknown): CliError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = MEANINGS[code] ?? (error instanceof Error ? error.message : String(error));
  return new CliError(CliErrorCode.File, `${name} cannot be read: ${reason}`, error);
}
