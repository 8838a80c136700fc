import { stringify } from 'yaml';
import { type Column, renderTable } from './table.ts';

export const LIST_FORMATS = ['table', 'wide', 'json', 'yaml'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];
export const DESCRIBE_FORMATS = ['yaml', 'json'] as const;
export type DescribeFormat = (typeof DESCRIBE_FORMATS)[number];

/** A message in protobuf's JSON mapping. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ListOptions<Row> {
  readonly format: ListFormat;
  readonly headers: boolean;
  readonly columns: readonly Column<Row>[];
  readonly json: (row: Row) => Json;
}

/** A list as the user wants to see it; ends with a newline. */
export function formatList<Row>(rows: readonly Row[], options: ListOptions<Row>): string {
  const { format, headers, columns, json } = options;
  if (format === 'json' || format === 'yaml') return formatJson(rows.map(json), format);
  return renderTable(columns, rows, { wide: format === 'wide', headers });
}

export function formatJson(value: Json, format: DescribeFormat): string {
  return format === 'json' ? `${JSON.stringify(value, undefined, 2)}\n` : stringify(value, { lineWidth: 0 });
}
