import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import type { Problem } from './config-problem.ts';

/** A parsed configuration file that remembers where everything stands. */
export interface ConfigFile {
  readonly value: unknown;
  /** `file:line:column` of the value at `path`, or of the nearest one above it that exists. */
  locate(path: readonly PropertyKey[]): string;
  /** `file:line:column` of the key that `path` ends with. */
  locateKey(path: readonly PropertyKey[]): string;
}

/**
 * Parses YAML 1.2; an empty file is an empty mapping. With `asTexts` every scalar stays the text that it is written as
 * (`01`, `off`), what is left empty or written as null counts as not there, and `<<` merges.
 */
export function parseConfigFile(
  name: string,
  text: string,
  options: { readonly asTexts?: boolean } = {},
): { readonly file: ConfigFile; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  // Pretty errors quote the source, which may hold secrets.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    ...(options.asTexts === true ? { schema: 'failsafe', merge: true } : {}),
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const problems: Problem[] = document.errors.map((error) => ({
    where: at(error.pos[0]),
    path: '',
    words: `not YAML: ${error.message}`,
  }));
  let value: unknown = {};
  if (problems.length === 0) {
    try {
      value = (options.asTexts === true ? withoutEmpty(document.toJS()) : document.toJS()) ?? {};
    } catch (error) {
      // Aliases that expand without end.
      problems.push({ where: name, path: '', words: error instanceof Error ? error.message : String(error) });
    }
  }
  return {
    file: {
      value,
      locate: (path) => at(walk(document, path).value),
      locateKey: (path) => at(walk(document, path).key),
    },
    problems,
  };
}

/** A copy without the keys whose value is empty or null; items of a list stay, so that their places do. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value === 'string') return /^(?:|~|null|Null|NULL)$/.test(value) ? undefined : value;
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, child]) => [key, withoutEmpty(child)] as const)
    .filter(([, child]) => child !== undefined);
  return Object.fromEntries(kept);
}

/** Offsets of the key and of the value at `path`, as far as it exists. */
function walk(document: Document, path: readonly PropertyKey[]): { key: number; value: number } {
  let node: unknown = document.contents;
  let offsets = { key: 0, value: start(node) ?? 0 };
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      const key = start(pair.key) ?? offsets.key;
      offsets = { key, value: start(pair.value) ?? key };
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      const value = start(node) ?? offsets.value;
      offsets = { key: value, value };
    } else {
      break;
    }
  }
  return offsets;
}

function start(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const offset: unknown = node.range[0];
  return typeof offset === 'number' ? offset : undefined;
}
