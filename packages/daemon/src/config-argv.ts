import type { Field } from './config-fields.ts';
import type { Problem } from './config-problem.ts';
import { suggest } from './suggest.ts';

/** The command line, taken apart. */
export interface Arguments {
  readonly help: boolean;
  readonly printConfig: boolean;
  readonly file: string | undefined;
  readonly settings: readonly { readonly field: Field; readonly name: string; readonly text: string }[];
  readonly problems: readonly Problem[];
}

/** Reads `--a-b value`, `--a-b=value`, `--on` and `--no-on`. */
export function parseArguments(fields: readonly Field[], argv: readonly string[]): Arguments {
  const byFlag = new Map(fields.map((field) => [field.flag, field]));
  const settings: { field: Field; name: string; text: string }[] = [];
  const problems: Problem[] = [];
  let help = false;
  let printConfig = false;
  let file: string | undefined;
  const rest = [...argv];
  const valueFor = (name: string, inline: string | undefined, example: string): string | undefined => {
    const value = inline ?? (rest[0]?.startsWith('--') === true ? undefined : rest.shift());
    if (value === undefined) problems.push({ where: name, path: '', words: `needs a value; write ${name} ${example}` });
    return value;
  };
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const { name, inline } = split(argument);
    const field = byFlag.get(name.slice(2));
    const negated = name.startsWith('--no-') ? byFlag.get(name.slice('--no-'.length)) : undefined;
    if (name === '--help' || name === '-h') {
      help = true;
    } else if (name === '--print-config') {
      printConfig = true;
    } else if (name === '--config') {
      file = valueFor(name, inline, 'FILE') ?? file;
    } else if (field?.secret === true) {
      problems.push({
        where: name,
        path: field.path.join('.'),
        words: `a command line is visible to every user of this machine; set ${field.env} or write it into the file`,
      });
      // Not echoed as an unexpected argument.
      if (inline === undefined && rest[0]?.startsWith('--') === false) rest.shift();
    } else if (field?.kind === 'boolean') {
      settings.push({ field, name, text: inline ?? 'true' });
    } else if (field !== undefined) {
      const text = valueFor(name, inline, 'VALUE');
      if (text !== undefined) settings.push({ field, name, text });
    } else if (negated?.kind === 'boolean' && inline === undefined) {
      settings.push({ field: negated, name, text: 'false' });
    } else {
      problems.push(unknownArgument(name, [...byFlag.keys(), 'config', 'print-config', 'help']));
      if (name.startsWith('--') && inline === undefined && rest[0]?.startsWith('--') === false) rest.shift();
    }
  }
  return { help, printConfig, file, settings, problems };
}

function split(argument: string): { name: string; inline: string | undefined } {
  const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
  return equals < 0
    ? { name: argument, inline: undefined }
    : { name: argument.slice(0, equals), inline: argument.slice(equals + 1) };
}

function unknownArgument(name: string, flags: readonly string[]): Problem {
  if (!name.startsWith('-')) {
    return {
      where: name,
      path: '',
      words: `unexpected argument; ${/\.ya?ml$/.test(name) ? `write --config ${name}` : 'settings are written --flag VALUE'}, see --help`,
    };
  }
  const near = name === '-c' ? 'config' : suggest(name.replace(/^-+/, ''), flags);
  return {
    where: name,
    path: '',
    words: near === undefined ? 'unknown flag; see --help' : `unknown flag; did you mean --${near}?`,
  };
}
