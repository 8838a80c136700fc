// oxlint-disable-next-line no-control-regex -- firmware draws its menus with them
const terminalControl = /\u001B[[(][0-9;=?]*[A-Za-z]|\u001Bc|[\u0000-\u0008\u000B-\u001F]/g;
/** A cursor that is put somewhere begins a line there: menus have no newlines. */
// oxlint-disable-next-line no-control-regex -- an escape sequence
const lineEnd = /\r?\n|\r|\u001B\[[0-9;]*[Hf]/;
/** A line longer than this is broken: a console may never send a newline. */
const maxLineLength = 16_384;

/** Turns chunks of bytes into lines without terminal control sequences, and hands each to `onLine`. */
export function lineReader(onLine: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new TextDecoder();
  let pending = '';
  return (chunk) => {
    pending += decoder.decode(chunk, { stream: true });
    const lines = pending.split(lineEnd);
    pending = lines.pop() ?? '';
    if (pending.length > maxLineLength) {
      lines.push(pending);
      pending = '';
    }
    for (const line of lines) {
      const clean = line.replaceAll(terminalControl, '');
      if (clean !== '') onLine(clean);
    }
  };
}
