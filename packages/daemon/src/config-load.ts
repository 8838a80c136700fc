import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { parseArguments } from './config-argv.ts';
import type { ConfigDefinition } from './config-definition.ts';
import { envPrefix, fieldsOf, type Field } from './config-fields.ts';
import { parseConfigFile, type ConfigFile } from './config-file.ts';
import { helpText } from './config-help.ts';
import { printConfig, REDACTED } from './config-print.ts';
import { pathText, problemLine, type Problem } from './config-problem.ts';
import { valueOfText } from './config-text.ts';
import { unknownKeys } from './config-unknown.ts';
import { DaemonError, DaemonErrorCode } from './errors.ts';
import { ExitCode } from './exit-code.ts';
import { isMapping, isSecret, schemaNode, secretsIn, type SchemaNode } from './schema-node.ts';
import { suggest } from './suggest.ts';

export interface LoadConfigOptions {
  /** Arguments after the part's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that is read when neither `--config` nor INGOT_<PART>_CONFIG names one. Default: none. */
  readonly file?: string;
  /** Default: from the disk. */
  readonly readText?: (path: string) => Promise<string>;
}

/** What the command line asked for, or why it cannot be had. */
export type LoadedConfig<Config> =
  | {
      readonly kind: 'config';
      readonly config: Config;
      /** Environment variables that look like settings and are none; worth a line in the log. */
      readonly warnings: readonly string[];
      /** Every secret text in the configuration, to keep out of the log. */
      readonly secrets: readonly string[];
    }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'error'; readonly error: DaemonError; readonly exitCode: ExitCode };

/** Settings from all sources, flags over environment over file, and where each came from. */
interface Gathered {
  readonly value: unknown;
  readonly origins: ReadonlyMap<string, string>;
  readonly file: ConfigFile | undefined;
}

/**
 * Loads a configuration: flags over environment over file over defaults. Every problem is reported at once, with file,
 * line and column, what was found and what to write instead; secrets are never shown.
 */
export async function loadConfig<Config>(
  definition: ConfigDefinition<Config>,
  options: LoadConfigOptions,
): Promise<LoadedConfig<Config>> {
  const root = schemaNode(definition.schema);
  const fields = fieldsOf(definition.name, root);
  const args = parseArguments(fields, options.argv);
  if (args.help) return { kind: 'help', text: helpText(definition, fields) };
  if (args.problems.length > 0) return failure(args.problems, ExitCode.Usage);

  const path = args.file ?? options.env[`${envPrefix(definition.name)}CONFIG`] ?? options.file;
  const read = await readConfigFile(path, options.readText ?? ((file) => readFile(file, 'utf8')));
  if (read.problems.length > 0) return failure(read.problems, ExitCode.Config);

  const environment = environmentSettings(definition.name, fields, options.env);
  const problems: Problem[] = [];
  const gathered = gather(read.file, [...environment.settings, ...args.settings], problems);
  for (const { path: key, words } of unknownKeys(root, read.file?.value)) {
    problems.push({ where: read.file?.locateKey(key) ?? '', path: pathText(key), words });
  }
  const parsed = definition.parse(gathered.value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      // From a strict schema; named better above, if it stands in the file.
      if (issue.code === 'unrecognized_keys' && problems.length > 0) continue;
      problems.push(describe(definition.name, root, gathered, issue));
    }
  }
  if (problems.length > 0 || !parsed.success) return failure(problems, ExitCode.Config);
  if (args.printConfig) return { kind: 'print', text: printConfig(root, parsed.data) };
  const secrets = secretsIn(root, parsed.data);
  return { kind: 'config', config: parsed.data, warnings: environment.warnings, secrets };
}

async function readConfigFile(
  path: string | undefined,
  readText: (path: string) => Promise<string>,
): Promise<{ file: ConfigFile | undefined; problems: readonly Problem[] }> {
  if (path === undefined) return { file: undefined, problems: [] };
  try {
    return parseConfigFile(path, await readText(path));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return {
      file: undefined,
      problems: [
        { where: path, path: '', words: `cannot read the configuration: ${words}; name another with --config FILE` },
      ],
    };
  }
}

interface Setting {
  readonly field: Field;
  readonly name: string;
  readonly text: string;
}

function environmentSettings(
  part: string,
  fields: readonly Field[],
  env: LoadConfigOptions['env'],
): { settings: readonly Setting[]; warnings: readonly string[] } {
  const prefix = envPrefix(part);
  const byName = new Map(fields.map((field) => [field.env, field]));
  const settings: Setting[] = [];
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(prefix) || name === `${prefix}CONFIG` || text === undefined) continue;
    const field = byName.get(name);
    if (field !== undefined) {
      settings.push({ field, name, text });
      continue;
    }
    // Not an error: Kubernetes puts variables of that form into every container of a namespace.
    const near = suggest(name, [...byName.keys()]);
    warnings.push(`${name} is no setting${near === undefined ? '' : `; did you mean ${near}?`}`);
  }
  return { settings, warnings };
}

function gather(file: ConfigFile | undefined, settings: readonly Setting[], problems: Problem[]): Gathered {
  const origins = new Map<string, string>();
  let value: unknown = file?.value ?? {};
  for (const { field, name, text } of settings) {
    const result = valueOfText(field, text);
    if (result.ok) {
      value = withValue(value, field.path, result.value);
      origins.set(pathText(field.path), name);
    } else {
      problems.push({ where: name, path: pathText(field.path), words: result.words });
    }
  }
  return { value, origins, file };
}

/** A copy of `value` with `leaf` at `path`; a scalar in the way stays, for the schema to refuse. */
function withValue(value: unknown, path: readonly string[], leaf: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  if (value !== undefined && value !== null && !isMapping(value)) return value;
  return { ...value, [key]: withValue(value?.[key], rest, leaf) };
}

function describe(part: string, root: SchemaNode, gathered: Gathered, issue: z.core.$ZodIssue): Problem {
  const found = issue.path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)];
    return isMapping(value) ? value[String(key)] : undefined;
  }, gathered.value);
  const what =
    found === undefined
      ? 'is missing'
      : `found ${isSecret(root, issue.path) ? 'a value that is not shown' : show(found)}`;
  return {
    where: originOf(part, gathered, issue.path),
    path: pathText(issue.path),
    words: `${what}; ${issue.message}`,
  };
}

function originOf(part: string, { origins, file }: Gathered, path: readonly PropertyKey[]): string {
  for (let length = path.length; length > 0; length -= 1) {
    const origin = origins.get(pathText(path.slice(0, length)));
    if (origin !== undefined) return origin;
  }
  return file?.locate(path) ?? `${part} without --config`;
}

const SHOWN_CHARACTERS = 60;

function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const given = typeof value === 'number' || typeof value === 'bigint' ? String(value) : JSON.stringify(value);
  const text = withoutPassword(given);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** A password in a URL is secret wherever somebody has put that URL. */
function withoutPassword(text: string): string {
  return text
    .replaceAll(/(\/\/[^\s:/?#@"]*):[^\s"]*@/g, `$1:${REDACTED}@`)
    .replaceAll(/([?&]password=)[^\s&"]*/gi, `$1${REDACTED}`);
}

function failure(problems: readonly Problem[], exitCode: ExitCode): LoadedConfig<never> {
  return {
    kind: 'error',
    error: new DaemonError(DaemonErrorCode.Config, problems.map(problemLine).join('\n')),
    exitCode,
  };
}
