import { chmodSync, writeFileSync } from 'node:fs';
import { type apiV2, type DescMessage, type MessageShape, timestampDate, toJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { formatJson } from '../output.ts';

export interface SecretFlags {
  readonly file?: string;
  readonly output: 'secret' | 'json' | 'yaml';
}

/** Adds the flags of whatever makes a token. */
export function withSecretFlags(command: Command): Command {
  return command
    .option('--file <file>', 'write the secret there, readable for the owner only, instead of printing it')
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices(['secret', 'json', 'yaml']).default('secret'),
    );
}

/** Prints the secret of a new token, or puts it into a file. Throws CliError. */
export function showSecret<Schema extends DescMessage>(
  schema: Schema,
  answer: MessageShape<Schema> & { readonly secret: string; readonly token?: apiV2.Token | undefined },
  flags: SecretFlags,
  io: CliIo,
): void {
  if (flags.file !== undefined) {
    writeSecret(flags.file, answer.secret);
    const expires = answer.token?.expires;
    const until = expires === undefined ? '' : `, valid until ${timestampDate(expires).toISOString()}`;
    io.stderr(`wrote the token to ${flags.file}${until}\n`);
  }
  const shown = flags.file === undefined ? answer : { ...answer, secret: '' };
  if (flags.output !== 'secret') io.stdout(formatJson(toJson(schema, shown), flags.output));
  else if (flags.file === undefined) io.stdout(`${answer.secret}\n`);
}

function writeSecret(file: string, secret: string): void {
  try {
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    // The mode above counts for new files only.
    chmodSync(file, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `the token was made, but ${file} cannot be written: ${reason}`, error);
  }
}
