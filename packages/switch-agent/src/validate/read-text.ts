import { createReadStream } from 'node:fs';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';

// A broken-out switch of 512 ports has half a MiB.
const MAX_FILE_BYTES = 32 * 2 ** 20;

/**
 * Reads a text file, or standard input as `-`. Rejects with SwitchAgentError `SWITCH_CONFIG_FILE` when it cannot be
 * read, is endless or no UTF-8.
 */
export async function readText(file: string, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file, { signal })) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      length += bytes.length;
      if (length > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES / 2 ** 20} MiB`);
      chunks.push(bytes);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    signal.throwIfAborted();
    throw new SwitchAgentError(SwitchAgentErrorCode.ConfigFile, `${file} cannot be read: ${reasonOf(error)}`, error);
  }
}
