import { fileURLToPath } from 'node:url';
import { localFiles } from '../artifacts/local-file.ts';
import { BootServerError } from '../errors.ts';

/** What somebody gets who asks for the file: all of it, or an error and why. Other servers are not asked for theirs. */
export async function fileWords(uri: string, roots: readonly string[]): Promise<string> {
  if (!uri.startsWith('file:')) return `${uri}, from that server: a simulation does not ask there`;
  try {
    const { sizeBytes } = await localFiles(roots).version(fileURLToPath(uri));
    return `${uri}, ${sizeBytes} bytes`;
  } catch (error) {
    if (error instanceof BootServerError) return `an error: ${error.message}`;
    return `an error: ${uri} names no local file: write file:///absolute/path`;
  }
}
