import type { z } from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (lines of "key: value")',
  record: 'a mapping (lines of "key: value")',
};

const FORMATS: Readonly<Record<string, string>> = {
  ipv4: 'an IPv4 address, as 10.0.0.1',
  ipv6: 'an IPv6 address, as fd00::1',
  cidrv4: 'an IPv4 subnet, as 10.0.1.0/24',
  cidrv6: 'an IPv6 subnet, as fd00::/64',
  url: 'a URL, as https://10.0.0.1:9443',
  uuid: 'a UUID, as 11111111-2222-3333-4444-555555555555',
  mac: 'a MAC address, as 52:54:00:00:00:01',
};

/** What to write instead: the error text of an issue whose schema brings none of its own. */
export function issueWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `write ${TYPES[issue.expected] ?? `a value of type ${issue.expected}`}`;
    case 'invalid_value':
      return `write ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `write ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `write ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit(issue.origin)}`;
    case 'not_multiple_of':
      return `write a multiple of ${issue.divisor}`;
    case 'invalid_format': {
      const known = FORMATS[issue.format];
      if (known !== undefined) return `write ${known}`;
      return issue.pattern === undefined
        ? `write a valid ${issue.format}`
        : `write a text that matches ${issue.pattern}`;
    }
    case 'invalid_union':
      return unionWords(issue);
    case 'invalid_key':
      return `for the name before it, ${issue.issues.map(({ message }) => message).join(' and ')}`;
    case 'custom':
      return 'write a value that is accepted here';
    default:
      return undefined;
  }
}

function unionWords(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const branches = issue.errors.map((issues) => issues.map(({ message }) => message).join(' and '));
  const words = [...new Set(branches)].map((branch) => branch.replace(/^write /, ''));
  return words.length === 0 ? 'write a value that is accepted here' : `write ${words.join(', or ')}`;
}

function unit(origin: string): string {
  switch (origin) {
    case 'string':
      return ' characters';
    case 'array':
    case 'set':
    case 'map':
    case 'object':
      return ' entries';
    default:
      return '';
  }
}
