import type { Command } from 'commander';
import { printable } from '../display-width.ts';
import type { CliIo } from '../io.ts';
import { SCRIPTS, SHELLS, type Shell } from './scripts.ts';
import { thingsOf } from './things.ts';
import { completionOf } from './words.ts';

/** The hidden command that shells ask. */
export const COMPLETE = '__complete';

/** `ingot completion`. */
export function addCompletionCommand(program: Command, io: CliIo): void {
  program
    .command('completion')
    .description('print a script that completes commands, flags and ids in a shell: source <(ingot completion bash)')
    .addArgument(program.createArgument('<shell>', 'which').choices(SHELLS))
    .action((shell: Shell) => io.stdout(SCRIPTS[shell]));
}

/** Answers a shell: what may stand where the cursor is. */
export async function answerShell(program: Command, words: readonly string[], io: CliIo): Promise<void> {
  const completion = completionOf(program, words);
  const candidates = [...completion.words, ...(await thingsOf(completion, io))];
  const lines = candidates
    .filter(({ word }) => word.startsWith(completion.typed))
    // A word with blanks or quotes would have to be quoted, and is none of ours.
    .filter(({ word }) => /^[\w.:/@*+=-]+$/.test(word))
    .map(({ word, meaning }) => `${completion.prefix}${word}\t${printable(meaning).slice(0, 80)}\n`);
  io.stdout(`${completion.files ? 'files' : 'words'}\n${lines.join('')}`);
}
