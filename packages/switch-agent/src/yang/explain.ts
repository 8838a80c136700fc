import { childrenOf, parseCompiledNode, type Statement } from './compiled-node.ts';
import { expectation } from './expectation.ts';
import type { Place } from './instance-xml.ts';
import type { LibyangError } from './libyang-error.ts';
import { isSecret } from './secret-fields.ts';

/** What libyang finds wrong, by what has to happen next. */
export const ErrorKind = {
  /** The text does not fit the type, whatever the rest of the configuration is. */
  Type: 'type',
  /** The row that the text names is not there. */
  Reference: 'reference',
  /** A field that must be there is not: the error has no place in the data. */
  Missing: 'missing',
  /** A condition over several rows. */
  Rule: 'rule',
} as const;
export type ErrorKind = (typeof ErrorKind)[keyof typeof ErrorKind];

const REFERENCE = /^Invalid (?:leafref|union) value /;
const MISSING = /^Mandatory node "/;
const TYPE = /^(?:Invalid \S+(?: \S+)? value |Value |Unsatisfied (?:range|pattern|length) )/;

export function kindOf({ message, line }: LibyangError): ErrorKind {
  if (MISSING.test(message)) return ErrorKind.Missing;
  // Whether a row is there is only looked at when all is read, and then there is no line.
  if (line === undefined) return REFERENCE.test(message) ? ErrorKind.Reference : ErrorKind.Rule;
  return /^(?:Duplicate instance|Data for both cases|Too many)/.test(message) ? ErrorKind.Rule : ErrorKind.Type;
}

/** The words for an operator. `compiled` is the node's model as yanglint prints it, '' when it has none. */
export function explain(error: LibyangError, place: Place, compiled: string): string {
  const node = parseCompiledNode(compiled);
  const type = node === undefined ? undefined : childrenOf(node, 'type')[0];
  const expected = type === undefined ? undefined : expectation(type);
  const write = expected === undefined ? describedBy(node) : `write ${expected}`;
  const table = place.row.table.name;
  const hidden = place.field !== undefined && isSecret(table, place.field);
  const value = hidden || place.value === undefined ? 'the value' : JSON.stringify(place.value.slice(0, 100));
  switch (kindOf(error)) {
    case ErrorKind.Missing:
      return join('is missing', write);
    case ErrorKind.Reference:
      return join(`${value} is not there`, write);
    case ErrorKind.Type:
      return join(`${value} does not fit${own(error.message)}`, write);
    case ErrorKind.Rule:
      return ruleWords(error.message, value);
  }
}

function ruleWords(message: string, value: string): string {
  if (message.startsWith('Duplicate instance')) return `${value} stands here twice; leave one out`;
  const [, one, other] = /^Data for both cases "(.*)" and "(.*)" exist/.exec(message) ?? [];
  if (one !== undefined) return `has fields of both ${one} and ${other}, which exclude each other; leave one side out`;
  if (message.startsWith('Too many')) return 'there are more rows than the model allows; leave this one out';
  // Without words of the model's own, its XPath is all there is to tell.
  return `breaks a rule of the model: ${message.slice(0, 400)}`;
}

/** The model's own words, where it has some in place of libyang's. */
function own(message: string): string {
  return TYPE.test(message) ? '' : ` (${message.slice(0, 200)})`;
}

function describedBy(node: Statement | undefined): string | undefined {
  const words = node === undefined ? undefined : childrenOf(node, 'description')[0]?.argument;
  return words === undefined ? undefined : `the model says: ${words.replaceAll(/\s+/g, ' ').trim().slice(0, 200)}`;
}

function join(what: string, advice: string | undefined): string {
  return advice === undefined ? what : `${what}; ${advice}`;
}
