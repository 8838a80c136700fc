import type { ConfigDefinition } from './config-definition.ts';
import { envPrefix, type Field, type FieldKind } from './config-fields.ts';

const PLACEHOLDERS: Readonly<Record<FieldKind, string>> = {
  text: 'TEXT',
  number: 'NUMBER',
  boolean: '',
  list: 'A,B,...',
  json: 'JSON',
};

/** The `--help` of a daemon, made from its schema. */
export function helpText(definition: ConfigDefinition<unknown>, fields: readonly Field[]): string {
  const part = definition.name;
  return [
    `Usage: ingot ${part} [--config FILE] [--print-config] [settings]`,
    ...(definition.description === undefined ? [] : ['', definition.description]),
    '',
    '  --config FILE',
    ...wrapped(`YAML file with the settings below under the names in brackets; also ${envPrefix(part)}CONFIG`),
    '  --print-config',
    '      print the effective configuration, secrets redacted, and exit',
    '  --help',
    '      print this, and exit',
    '',
    'Settings; flags win over environment variables, and these over the file:',
    ...fields.flatMap(fieldLines),
    '',
  ].join('\n');
}

function fieldLines(field: Field): string[] {
  const name = `[${field.path.join('.')}]`;
  const placeholder = field.choices.length > 0 ? field.choices.join('|') : PLACEHOLDERS[field.kind];
  const heading = field.secret
    ? `  ${name} ${field.env}, secret: no flag`
    : `  --${field.flag}${placeholder === '' ? '' : ` ${placeholder}`}  ${name} ${field.env}`;
  const words = [
    ...(field.description === undefined ? [] : [field.description]),
    ...(field.defaultValue === undefined || field.secret ? [] : [`default: ${JSON.stringify(field.defaultValue)}`]),
  ];
  return words.length === 0 ? [heading] : [heading, ...wrapped(words.join('; '))];
}

/** Lines of what a terminal of 80 columns has left beside the indent; a longer word has one of its own. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= 74) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `      ${line}`);
}
