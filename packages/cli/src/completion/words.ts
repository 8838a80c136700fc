import type { Argument, Command, Option } from 'commander';

/** What may stand where the cursor is. */
export interface Completion {
  /** Words, with what they mean. */
  readonly words: readonly Candidate[];
  /** Things of this kind, which the API server knows. */
  readonly kind: string | undefined;
  /** The beginning that each word has to carry on the command line, such as `--size=`. */
  readonly prefix: string;
  /** What was typed of the word, without the prefix. */
  readonly typed: string;
  readonly files: boolean;
  /** Flags that were given on the way, by their names without dashes. */
  readonly given: Readonly<Record<string, string>>;
}

export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** Options that take a name of something: the kind of that. */
const OPTION_KINDS: Readonly<Record<string, string>> = {
  partition: 'partition',
  project: 'project',
  tenant: 'tenant',
  size: 'size',
  image: 'image',
  network: 'network',
  'filesystem-layout': 'filesystem-layout',
  switch: 'switch',
  machine: 'machine',
  context: 'context',
};

/** Finds out what may follow the words behind `ingot`, the last of which is being typed. */
export function completionOf(program: Command, words: readonly string[]): Completion {
  let command = program;
  let operands = 0;
  let awaiting: Option | undefined;
  const given: Record<string, string> = {};
  for (const word of words.slice(0, -1)) {
    if (awaiting !== undefined) {
      given[nameOf(awaiting)] = word;
      awaiting = awaiting.variadic ? awaiting : undefined;
      if (awaiting === undefined || !word.startsWith('-')) continue;
      awaiting = undefined;
    }
    if (word.startsWith('-') && word !== '-') {
      const [flag, value] = splitOnce(word, '=');
      const option = command.options.find((one) => one.long === flag || one.short === flag);
      if (option !== undefined && value !== undefined) given[nameOf(option)] = value;
      else if (option?.required === true) awaiting = option;
      continue;
    }
    const below = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (below === undefined) operands += 1;
    else {
      command = below;
      operands = 0;
    }
  }
  const last = words.at(-1) ?? '';
  const [flag, value] = splitOnce(last, '=');
  const assigned = value === undefined ? undefined : command.options.find((one) => one.long === flag);
  if (assigned !== undefined) return ofOption(assigned, `${flag}=`, value ?? '', given);
  if (awaiting !== undefined && !(awaiting.variadic && last.startsWith('-')))
    return ofOption(awaiting, '', last, given);
  if (last.startsWith('-')) return { ...NOTHING, words: flagsOf(command), typed: last, given };
  return ofOperand(command, operands, last, given);
}

const NOTHING: Completion = { words: [], kind: undefined, prefix: '', typed: '', files: false, given: {} };

function ofOption(option: Option, prefix: string, typed: string, given: Completion['given']): Completion {
  const words = (option.argChoices ?? []).map((word) => ({ word, meaning: '' }));
  const kind = OPTION_KINDS[nameOf(option)];
  return { words, kind, prefix, typed, files: /<(?:file|folder|dir)/.test(option.flags), given };
}

function ofOperand(command: Command, operands: number, typed: string, given: Completion['given']): Completion {
  const below = command.commands
    .filter((one) => !one.name().startsWith('_'))
    .map((one) => ({ word: one.name(), meaning: one.description() }));
  const { registeredArguments } = command;
  const argument = registeredArguments[operands] ?? registeredArguments.find(({ variadic }) => variadic);
  const words = [...below, ...(argument?.argChoices ?? []).map((word) => ({ word, meaning: '' }))];
  return { ...NOTHING, words, kind: kindOf(command, argument), typed, given };
}

/** `<machine>` is a machine, `<id>` behind `machine lock` as well. */
function kindOf(command: Command, argument: Argument | undefined): string | undefined {
  if (argument === undefined || argument.argChoices !== undefined) return undefined;
  const name = argument.name();
  if (name !== 'id' && name !== 'uuid') return name === 'old' || name === 'new' ? 'switch' : name;
  let group = command;
  while (group.parent !== null && group.parent.parent !== null) group = group.parent;
  return group.name();
}

function flagsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ word: option.long ?? option.short ?? '', meaning: option.description }));
}

function nameOf(option: Option): string {
  return (option.long ?? '').replace(/^--(?:no-)?/, '');
}

function splitOnce(text: string, by: string): [string, string | undefined] {
  const at = text.indexOf(by);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)];
}
