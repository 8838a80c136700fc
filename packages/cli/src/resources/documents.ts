import { LineCounter, parseAllDocuments } from 'yaml';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import type { Json } from '../output.ts';
import { nameOf, readInput } from '../read-file.ts';
import { isObject, type JsonObject } from './resource.ts';

/** Larger than any inventory that people write; less than what would make the parser slow. */
const MAX_BYTES = 8 * 2 ** 20;

/**
 * Reads the documents of YAML or JSON files, `-` for standard input. Empty ones are passed over. Throws CliError with
 * file and line, and for files without any document.
 */
export async function readDocuments(io: CliIo, files: readonly string[]): Promise<JsonObject[]> {
  const documents: JsonObject[] = [];
  for (const file of files) {
    const found = parseDocuments(await readInput(io, file, MAX_BYTES), nameOf(file));
    if (found.length === 0) throw new CliError(CliErrorCode.Argument, `there is no document in ${nameOf(file)}`);
    documents.push(...found);
  }
  return documents;
}

function parseDocuments(text: string, file: string): JsonObject[] {
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
    const { line } = lineCounter.linePos(document.contents?.range?.[0] ?? document.range[0]);
    throw new CliError(CliErrorCode.Argument, `${file}:${line}: this document is no mapping of fields to values`);
  });
}
