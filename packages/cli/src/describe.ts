import type { CliIo } from './io.ts';
import { type DescribeFormat, formatJson, type Json } from './output.ts';
import { missingFields } from './template/missing.ts';
import { requireTemplate } from './template/template.ts';

/** What every `describe` understands. */
export interface DescribeFlags {
  readonly output: DescribeFormat;
  readonly template?: string;
}

/** Shows one thing. Throws CliError. */
export function showOne({ output, template: source }: DescribeFlags, io: CliIo, value: Json): void {
  if (output !== 'template' && source === undefined) return io.stdout(formatJson(value, output));
  const template = requireTemplate(source);
  io.stdout(template.render(value));
  for (const warning of missingFields(template, [value])) io.stderr(`ingot: ${warning}\n`);
}
