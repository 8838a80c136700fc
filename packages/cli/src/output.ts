import { Document, Scalar, visit } from 'yaml';
import { escapeControls, hasControls } from './display-width.ts';

export const LIST_FORMATS = ['table', 'wide', 'json', 'yaml', 'template'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];
export const DESCRIBE_FORMATS = ['yaml', 'json', 'template'] as const;
export type DescribeFormat = (typeof DESCRIBE_FORMATS)[number];

/** A message in protobuf's JSON mapping. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * JSON or YAML; ends with a newline. Control characters in strings are escaped, those too that JSON would allow: a
 * terminal may obey them.
 */
export function formatJson(value: Json, format: 'yaml' | 'json'): string {
  return format === 'json' ? `${escapeControls(JSON.stringify(value, undefined, 2))}\n` : formatYaml(value);
}

/** The value on one line. */
export function formatJsonLine(value: Json): string {
  return `${escapeControls(JSON.stringify(value))}\n`;
}

function formatYaml(value: Json): string {
  const document = new Document(value);
  visit(document, {
    Scalar(_key, node) {
      // Only quoted strings can have escapes.
      if (typeof node.value === 'string' && hasControls(node.value.replaceAll('\n', '')))
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return escapeControls(document.toString({ lineWidth: 0 }));
}
