import type { CliIo } from './io.ts';
import { type DescribeFormat, formatJson, type Json } from './output.ts';
import { checkFields } from './template/fields.ts';
import { requireTemplate } from './template/template.ts';

/** What every `describe` understands. */
export interface DescribeFlags {
  readonly output: DescribeFormat;
  readonly template?: string;
}

/** Shows one thing, which may have these fields. Throws CliError. */
export function showOne(
  { output, template: source }: DescribeFlags,
  io: CliIo,
  value: Json,
  fields: readonly string[],
): void {
  if (output !== 'template' && source === undefined) return io.stdout(formatJson(value, output));
  const template = requireTemplate(source);
  checkFields(template, fields);
  io.stdout(template.render(value));
}
