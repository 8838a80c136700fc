import type { z } from 'zod';
import { parseConfigFile } from './config-file.ts';
import { issueWords } from './config-issue.ts';
import { pathText, problemLine, type Problem } from './config-problem.ts';
import { unknownKeys } from './config-unknown.ts';
import { schemaNode } from './schema-node.ts';

/** A YAML file that passed its schema, or every problem in it: one line each, with file, line and column. */
export type YamlDocument<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** `file:line:column` of the value at `path`, or of the nearest one above it that exists. */
      readonly locate: (path: readonly PropertyKey[]) => string;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Parses a YAML file other than the daemon's configuration, with the same care for whoever has to mend it. With
 * `asTexts` every scalar reaches the schema as the text that it is written as, and empty ones do not.
 */
export function parseYamlDocument<T>(
  name: string,
  text: string,
  schema: z.ZodType<T>,
  options: { readonly asTexts?: boolean } = {},
): YamlDocument<T> {
  const { file, problems: syntax } = parseConfigFile(name, text, options);
  if (syntax.length > 0) return { ok: false, problems: syntax.map(problemLine) };
  const problems: Problem[] = unknownKeys(schemaNode(schema), file.value).map(({ path, words }) => ({
    where: file.locateKey(path),
    path: pathText(path),
    words,
  }));
  const parsed = schema.safeParse(file.value, { error: issueWords });
  for (const issue of parsed.error?.issues ?? []) {
    // From a strict schema; named better above.
    if (issue.code === 'unrecognized_keys') continue;
    problems.push({ where: file.locate(issue.path), path: pathText(issue.path), words: issue.message });
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems: problems.map(problemLine) };
  return { ok: true, value: parsed.data, locate: (path) => file.locate(path) };
}
