import { open } from 'node:fs/promises';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';

/** Lines of the operator's that go into `frr.conf` as they are. */
export interface IncludeFile {
  readonly path: string;
  readonly text: string;
}

// A full BGP policy by hand is some hundred kilobytes; what is larger is not a configuration.
const MAX_BYTES = 1024 * 1024;

// FRR reads lines into a buffer of 4096 bytes (VTY_BUFSIZ) and would take the rest of a longer one for the next line.
const MAX_LINE = 4000;

/**
 * Reads an include file; undefined when there is none, which is no error: it may come later.
 * Throws SwitchAgentError `SWITCH_FRR_INCLUDE` for one that cannot be read or is no text.
 */
export async function readIncludeFile(path: string): Promise<IncludeFile | undefined> {
  const refuse = (reason: string, cause?: unknown): SwitchAgentError =>
    new SwitchAgentError(SwitchAgentErrorCode.FrrInclude, `${path} ${reason}`, cause);
  let bytes: Buffer;
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    if (!stat.isFile()) throw refuse('is not a file; put lines of FRR configuration there, or correct frr.include');
    // The size may be a lie (a file that grows), so no more than that is read.
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    bytes = buffer.subarray(0, length);
  } catch (error) {
    if (error instanceof SwitchAgentError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw refuse(`cannot be read (${reasonOf(error)})`, error);
  }
  if (bytes.length > MAX_BYTES) throw refuse(`has more than ${MAX_BYTES} bytes; is it a configuration of FRR's?`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw refuse("is not UTF-8 text; is it a configuration of FRR's?", error);
  }
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  for (const [index, line] of lines.entries()) {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(line)) throw refuse(`has a control character in line ${index + 1}`);
    if (Buffer.byteLength(line) > MAX_LINE) throw refuse(`has more than ${MAX_LINE} bytes in line ${index + 1}`);
  }
  return { path, text: lines.join('\n') };
}
