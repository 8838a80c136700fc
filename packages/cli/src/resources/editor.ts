import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';

/** A text that a person has gone over. */
export interface EditedText {
  readonly text: string;
  readonly file: string;
  /** Removes the file; until then it stays. */
  discard(): void;
}

/** Lets the user change a text in `$VISUAL`, `$EDITOR` or vi. Throws CliError; the file stays then. */
export async function editText(text: string, name: string, io: CliIo): Promise<EditedText> {
  const editor = io.env['VISUAL'] || io.env['EDITOR'] || 'vi';
  // Only the user may look into the folder: a BMC's address or an SSH key is nobody else's business.
  const file = join(mkdtempSync(join(tmpdir(), 'ingot-edit-')), `${name.replaceAll(/[^\w.-]/g, '_')}.yaml`);
  writeFileSync(file, text, { mode: 0o600 });
  const status = await runEditor(editor, file, io);
  if (status !== 0) {
    throw new CliError(
      CliErrorCode.File,
      `the editor "${editor}" ${status}, so nothing was changed; the text is in ${file}. $VISUAL or $EDITOR names another editor.`,
    );
  }
  return {
    text: readFileSync(file, 'utf8'),
    file,
    discard: () => rmSync(dirname(file), { recursive: true, force: true }),
  };
}

/** Resolves with 0, or with words about what went wrong. The variable may hold flags, so a shell takes it apart. */
function runEditor(editor: string, file: string, io: CliIo): Promise<0 | string> {
  // Ctrl-C in an editor is the editor's.
  const listening = io.onInterrupt?.(() => {});
  return new Promise<0 | string>((resolve) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'ingot', file], { stdio: 'inherit', env: { ...io.env } });
    child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? 0 : code === 127 ? 'was not found' : `ended with ${signal ?? `status ${code ?? '?'}`}`),
    );
  }).finally(() => listening?.[Symbol.dispose]());
}
