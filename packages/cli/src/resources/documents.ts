import { readFileSync } from 'node:fs';
import { LineCounter, parseAllDocuments } from 'yaml';
import { CliError, CliErrorCode } from '../errors.ts';
import type { Json } from '../output.ts';
import { isObject, type JsonObject } from './resource.ts';

/** Larger than any inventory that people write; less than what would make the parser slow. */
const MAX_BYTES = 8 * 2 ** 20;

/**
 * Reads the documents of a YAML or JSON file, `-` for standard input. Empty ones are passed over. Throws CliError with
 * file and line.
 */
export function readDocuments(file: string): JsonObject[] {
  const text = readText(file);
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line } = lineCounter.linePos(error.pos[0]);
      throw new CliError(CliErrorCode.Argument, `${file}:${line}: ${error.message}`);
    }
    // Aliases could make a small file a huge one.
    const value: Json = document.toJS({ maxAliasCount: 100 });
    if (value === null) return [];
    if (isObject(value)) return [value];
    const { line } = lineCounter.linePos(document.range[0]);
    throw new CliError(CliErrorCode.Argument, `${file}:${line}: this document is no mapping of fields to values`);
  });
}

function readText(file: string): string {
  try {
    const bytes = readFileSync(file === '-' ? 0 : file);
    if (bytes.byteLength > MAX_BYTES)
      throw new CliError(CliErrorCode.Argument, `${file} is larger than ${MAX_BYTES} bytes: split it`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `${file} cannot be read: ${reason}`, error);
  }
}
