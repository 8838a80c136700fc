import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { Document, parseDocument } from 'yaml';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';
import { nearNames } from './near-names.ts';
import { readText } from './read-file.ts';

/** Where the API server is, and how to be let in. */
export interface ApiContext {
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
  /** What named the two files, for messages. */
  readonly caFileFrom: string;
  readonly tokenFileFrom: string;
}

/** The flags that every command with an API call has. */
export interface ContextFlags {
  readonly apiUrl?: string;
  readonly apiCaFile?: string;
  readonly apiTokenFile?: string;
  readonly context?: string;
  readonly trace?: boolean;
}

interface NamedContext {
  readonly name: string;
  readonly url: string | undefined;
  readonly caFile: string | undefined;
  readonly tokenFile: string | undefined;
}

/**
 * Finds the API server: flags, then INGOT_API_URL, INGOT_API_CA_FILE and INGOT_API_TOKEN_FILE, then the current context
 * of the user's configuration, then a running lab. A URL given by flag or environment never gets a token out of a
 * context: that would hand it to another server. Throws CliError.
 */
export function resolveContext(flags: ContextFlags, io: CliIo): ApiContext {
  const { env } = io;
  const url = flags.apiUrl ?? env['INGOT_API_URL'];
  const caFile = named(flags.apiCaFile, '--api-ca-file', env, 'INGOT_API_CA_FILE');
  const tokenFile = named(flags.apiTokenFile, '--api-token-file', env, 'INGOT_API_TOKEN_FILE');
  if (url !== undefined && flags.context === undefined)
    return complete(url, caFile, tokenFile, flags.apiUrl === undefined ? 'INGOT_API_URL' : '--api-url');
  const { context, file } = findContext(flags.context ?? env['INGOT_CONTEXT'], io);
  const from = `context ${context.name} of ${file}`;
  return complete(
    context.url,
    caFile ?? (context.caFile === undefined ? undefined : { path: context.caFile, from }),
    tokenFile ?? (context.tokenFile === undefined ? undefined : { path: context.tokenFile, from }),
    from,
  );
}

/** A path, and what named it. */
interface Named {
  readonly path: string;
  readonly from: string;
}

function named(value: string | undefined, flag: string, env: CliIo['env'], variable: string): Named | undefined {
  if (value !== undefined) return { path: value, from: flag };
  const path = env[variable];
  return path === undefined ? undefined : { path, from: variable };
}

/** Files with contexts, the user's own first. */
function configFiles({ env, home, labConfigFile }: CliIo): { readonly own: string; readonly all: readonly string[] } {
  const own = env['INGOT_CONFIG'] ?? join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'ingot/config.yaml');
  return { own, all: [own, labConfigFile].filter((file) => existsSync(file)) };
}

/** A context, where it was found, and whether commands use it unless told otherwise. */
export interface KnownContext {
  readonly name: string;
  readonly url: string | undefined;
  readonly caFile: string | undefined;
  readonly tokenFile: string | undefined;
  readonly file: string;
  readonly isCurrent: boolean;
}

/** All contexts that there are, and the file for the user's own. Throws CliError. */
export function contextsOf(io: CliIo): { readonly own: string; readonly contexts: readonly KnownContext[] } {
  const { own, all } = configFiles(io);
  const read = all.map((file) => ({ file, config: readConfig(file) }));
  const wanted = io.env['INGOT_CONTEXT'];
  const [current] = read.flatMap(({ file, config }) =>
    config.contexts.filter(({ name }) => name === (wanted ?? config.current)).map(({ name }) => `${file} ${name}`),
  );
  const contexts = read.flatMap(({ file, config }) =>
    config.contexts.map((one) => ({ ...one, file, isCurrent: `${file} ${one.name}` === current })),
  );
  return { own, contexts };
}

/** The configuration as a document that can be changed; an empty one where there is no file. Throws CliError. */
export function readConfigDocument(file: string): Document {
  if (!existsSync(file)) return new Document({ contexts: [] });
  const document = parseDocument(readText(file));
  const [problem] = document.errors;
  if (problem !== undefined) throw new CliError(CliErrorCode.Config, `${file}: ${problem.message}`, problem);
  return document;
}

function findContext(wanted: string | undefined, io: CliIo): { context: NamedContext; file: string } {
  const { own, all: files } = configFiles(io);
  const known: string[] = [];
  for (const file of files) {
    const config = readConfig(file);
    const name = wanted ?? config.current;
    const context = config.contexts.find((candidate) => candidate.name === name);
    if (context !== undefined) return { context, file };
    known.push(...config.contexts.map((candidate) => candidate.name));
    if (wanted === undefined && name !== undefined) {
      throw new CliError(
        CliErrorCode.Config,
        `${file}: currentContext is ${name}, but there is no such context${listed(known)}`,
      );
    }
  }
  if (wanted !== undefined) {
    const [near] = nearNames(wanted, known);
    const hint = near === undefined ? listed(known) : `; did you mean ${near}?`;
    throw new CliError(CliErrorCode.NoContext, `there is no context ${wanted}${hint}`);
  }
  throw new CliError(
    CliErrorCode.NoContext,
    'no API server is known. Do one of these:\n' +
      '  start the lab:            ingot lab up\n' +
      '  name the server:          --api-url https://HOST:9443 --api-ca-file ca.pem --api-token-file admin.token\n' +
      '                            (or INGOT_API_URL, INGOT_API_CA_FILE and INGOT_API_TOKEN_FILE)\n' +
      `  write it down for good:   ${own}\n` +
      '                              currentContext: prod\n' +
      '                              contexts:\n' +
      '                                - { name: prod, apiUrl: https://HOST:9443, apiCaFile: ca.pem, apiTokenFile: admin.token }\n' +
      'ingot api-server prints where its ca.pem and admin.token are when it starts.',
  );
}

function readConfig(file: string): { current: string | undefined; contexts: readonly NamedContext[] } {
  const root: unknown = readConfigDocument(file).toJS();
  const list = property(root, 'contexts');
  if (!Array.isArray(list)) {
    throw new CliError(
      CliErrorCode.Config,
      `${file}: contexts is not a list; write contexts: [{ name, apiUrl, apiCaFile, apiTokenFile }]`,
    );
  }
  const folder = resolve(file, '..');
  const path = (name: string | undefined): string | undefined =>
    name === undefined || isAbsolute(name) ? name : join(folder, name);
  return {
    current: string(property(root, 'currentContext') ?? property(root, 'current-context')),
    contexts: list.map((entry: unknown, index) => {
      const name = string(property(entry, 'name'));
      if (name === undefined) throw new CliError(CliErrorCode.Config, `${file}: contexts[${index}] has no name`);
      return {
        name,
        url: string(property(entry, 'apiUrl')),
        caFile: path(string(property(entry, 'apiCaFile'))),
        tokenFile: path(string(property(entry, 'apiTokenFile'))),
      };
    }),
  };
}

function complete(
  url: string | undefined,
  caFile: Named | undefined,
  tokenFile: Named | undefined,
  source: string,
): ApiContext {
  const missing = [
    ...(url === undefined ? ['apiUrl (--api-url)'] : []),
    ...(caFile === undefined ? ["apiCaFile (--api-ca-file, INGOT_API_CA_FILE): the server's ca.pem"] : []),
    ...(tokenFile === undefined ? ['apiTokenFile (--api-token-file, INGOT_API_TOKEN_FILE)'] : []),
  ];
  if (url === undefined || caFile === undefined || tokenFile === undefined) {
    throw new CliError(
      CliErrorCode.NoContext,
      `the API server comes from ${source}, which lacks\n  ${missing.join('\n  ')}`,
    );
  }
  return {
    url,
    caFile: caFile.path,
    caFileFrom: caFile.from,
    tokenFile: tokenFile.path,
    tokenFileFrom: tokenFile.from,
  };
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return '';
  return `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`;
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
