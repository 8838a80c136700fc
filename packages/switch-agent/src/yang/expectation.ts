import { childrenOf, type Statement } from './compiled-node.ts';

/** Texts that fields of CONFIG_DB hold; the first that a pattern takes is the example for it. */
const EXAMPLES = [
  '192.0.2.1/24',
  '2001:db8::1/64',
  '192.0.2.1',
  '2001:db8::1',
  '02:00:5e:00:53:01',
  'Ethernet0',
  'PortChannel1',
  'Vlan100',
  'Loopback0',
  'Vrf1',
  'Vnet1',
  'eth0',
  'asic0',
  '1x100G',
  '0x8100',
  '100',
  '2026-01-01T00:00:00Z',
];

const HOST = 'example.org';

// Nobody reads a longer one.
const MAX_PATTERN = 80;

// Some models name all platforms, or all types of device.
const MAX_WORDS = 12;

const INTEGER_RANGES: Readonly<Record<string, string>> = {
  uint8: '0 to 255',
  uint16: '0 to 65535',
  uint32: '0 to 4294967295',
  uint64: '0 to 18446744073709551615',
  int8: '-128 to 127',
  int16: '-32768 to 32767',
  int32: '-2147483648 to 2147483647',
};

/** What may be written, by the way it is said. */
interface Alternatives {
  readonly words: readonly string[];
  readonly tables: readonly string[];
  readonly examples: readonly string[];
}

/** What to write into a field of a `type` statement, as "a number of 68 to 9216"; undefined when it takes any text. */
export function expectation(type: Statement): string | undefined {
  const { words, tables, examples } = alternativesOf(type);
  const all = [
    ...(tables.length === 0 ? [] : [`the name of a row of ${either(tables)}`]),
    ...(examples.length === 0 ? [] : [`something like ${either(examples)}`]),
    ...new Set(words),
  ];
  return all.length === 0 ? undefined : all.join(', or ');
}

/** The tables that a leafref may refer to, with the field: `PORT`, and all of them for a union. */
export function referredTables(type: Statement): readonly string[] {
  if (type.argument === 'union') return childrenOf(type, 'type').flatMap(referredTables);
  if (type.argument !== 'leafref') return [];
  // /p:module/p:TABLE/p:TABLE_LIST/p:leaf, perhaps from below with "..", perhaps with predicates.
  const path = (childrenOf(type, 'path')[0]?.argument ?? '').replaceAll(/\[[^\]]*\]/g, '');
  const names = path.split('/').map((step) => step.slice(step.indexOf(':') + 1));
  const list = names.at(-2) ?? '';
  const table = names.at(-3) ?? '';
  return [/^[A-Za-z]/.test(table) ? table : list.replace(/_LIST$/, '')];
}

const NOTHING: Alternatives = { words: [], tables: [], examples: [] };

function alternativesOf(type: Statement): Alternatives {
  switch (type.argument) {
    case 'union': {
      const all = childrenOf(type, 'type').map(alternativesOf);
      return {
        words: all.flatMap(({ words }) => words),
        tables: all.flatMap(({ tables }) => tables),
        examples: all.flatMap(({ examples }) => examples),
      };
    }
    case 'leafref':
      return { ...NOTHING, tables: referredTables(type) };
    case 'boolean':
      return { ...NOTHING, words: ['true or false'] };
    case 'enumeration':
      return { ...NOTHING, words: [oneOf(childrenOf(type, 'enum').map(({ argument }) => argument))] };
    case 'string':
      return ofText(type);
    default: {
      const range = childrenOf(type, 'range')[0]?.argument;
      const words = range?.replaceAll('..', ' to ').replaceAll('|', ' or ') ?? INTEGER_RANGES[type.argument];
      const what = words === undefined ? type.argument : `a number of ${words.replaceAll(/\s+/g, ' ')}`;
      return { ...NOTHING, words: [what] };
    }
  }
}

function ofText(type: Statement): Alternatives {
  const patterns = childrenOf(type, 'pattern').map(({ argument }) => argument);
  const length = childrenOf(type, 'length')[0]?.argument.replaceAll('..', ' to ');
  const takes = (text: string): boolean => patterns.every((pattern) => matches(pattern, text));
  const [first] = patterns;
  if (first === undefined) return { ...NOTHING, words: length === undefined ? [] : [`a text of ${length} characters`] };
  if (patterns.length === 1 && /^[\w.+-]*(?:\|[\w.+-]+)*$/.test(first))
    return { ...NOTHING, words: [oneOf(first.split('|'))] };
  // What takes any word says more about single characters than about the whole.
  if (takes('word')) {
    if (takes(HOST) && !takes('a/b') && !takes('a b')) return { ...NOTHING, examples: [HOST] };
    return { ...NOTHING, words: first.length > MAX_PATTERN ? [] : [`a text that ${first} matches`] };
  }
  const example = EXAMPLES.find(takes);
  if (example !== undefined) return { ...NOTHING, examples: [example] };
  return { ...NOTHING, words: first.length > MAX_PATTERN ? [] : [`a text that ${first} matches`] };
}

function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => (word === '' ? '""' : word));
  return quoted.length > MAX_WORDS ? `one of ${quoted.slice(0, MAX_WORDS).join(', ')} …` : either(quoted);
}

function either(words: readonly string[]): string {
  const all = [...new Set(words)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1) ?? ''}`;
}

/** Patterns are XML Schema's (RFC 7950, section 9.4.5), which those of SONiC's models share with JavaScript. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(text);
  } catch {
    return false;
  }
}
