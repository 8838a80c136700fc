import type { FileHandle } from 'node:fs/promises';

/** dhcpd appends for an hour before it writes its file anew: some hundred bytes for each renewal. */
const MAX_BYTES = 256 * 2 ** 20;
const MAX_LINE = 4096;
const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;

/**
 * The whole lines of an open file, up to the length that it has now: what a server is writing has no end yet, and one that
 * writes faster than we read would keep us for ever. A line that is too long is passed over. Answers how many bytes were
 * not looked at.
 */
export async function* readLines(file: FileHandle, signal: AbortSignal): AsyncGenerator<string, number, void> {
  const { size } = await file.stat();
  const end = Math.min(size, MAX_BYTES);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  for (let at = 0; at < end;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK_BYTES, end - at), at);
    // Cut short meanwhile.
    if (bytesRead === 0) break;
    at += bytesRead;
    const text = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let from = 0;
    for (let to = text.indexOf(NEWLINE, from); to >= 0; to = text.indexOf(NEWLINE, from)) {
      if (!isTooLong && to - from <= MAX_LINE) yield text.toString('latin1', from, to);
      isTooLong = false;
      from = to + 1;
    }
    rest = Buffer.from(text.subarray(from));
    if (rest.length > MAX_LINE) {
      isTooLong = true;
      rest = Buffer.alloc(0);
    }
  }
  return size - end;
}
