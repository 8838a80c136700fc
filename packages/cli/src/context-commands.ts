import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Document } from 'yaml';
import { contextsOf, readConfigDocument, type KnownContext } from './context.ts';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';
import { type ListFlags, type ListView, showList } from './list/list.ts';
import { pick } from './names.ts';
import { withListFlags } from './options.ts';
import { Tone } from './style.ts';

interface SetFlags {
  readonly url?: string;
  readonly caFile?: string;
  readonly tokenFile?: string;
}

/** `ingot context`: which API servers there are, and which one is meant. */
export function addContextCommands(program: Command, io: CliIo): void {
  const context = program
    .command('context')
    .description('see, choose and write down the API servers that commands talk to')
    .helpCommand(false);

  withListFlags(
    context.command('ls').alias('list').description('list the contexts; * is the current one'),
    CONTEXTS,
  ).action((flags: ListFlags) => showList(flags, io, CONTEXTS, () => Promise.resolve(contextsOf(io).contexts)));

  context
    .command('current')
    .description('print the name of the current context')
    .action(() => {
      const current = contextsOf(io).contexts.find((one) => one.isCurrent);
      if (current === undefined)
        throw new CliError(CliErrorCode.NoContext, 'no context is the current one: ingot context use NAME');
      io.stdout(`${current.name}\n`);
    });

  context
    .command('use')
    .description('talk to this API server from now on')
    .argument('<context>', 'its name')
    .action((name: string) => {
      const { own, contexts } = contextsOf(io);
      const found = pick('context', name, contexts, (one) => one.name);
      if (found.file !== own)
        throw new CliError(
          CliErrorCode.Argument,
          `context ${found.name} is not in ${own}, but in ${found.file}, and comes and goes with that: use --context ${found.name} or INGOT_CONTEXT`,
        );
      change(own, (document) => document.set('currentContext', found.name));
      io.stdout(`context ${found.name} is the current one\n`);
    });

  context
    .command('set')
    .description('write a context down, or change one; the first one becomes the current one')
    .argument('<name>', 'how to call it')
    .option('--url <url>', 'https://host:port or unix:/path')
    .option('--ca-file <file>', "the server's CA, ca.pem")
    .option('--token-file <file>', 'a file with the bearer token')
    .action((name: string, { url, caFile, tokenFile }: SetFlags) => {
      const { own, contexts } = contextsOf(io);
      const before = contexts.find((one) => one.name === name && one.file === own);
      const fields = {
        ...(url === undefined ? {} : { apiUrl: url }),
        ...(caFile === undefined ? {} : { apiCaFile: resolve(caFile) }),
        ...(tokenFile === undefined ? {} : { apiTokenFile: resolve(tokenFile) }),
      };
      if (before === undefined && Object.keys(fields).length < 3)
        throw new CliError(CliErrorCode.Argument, 'a new context needs --url, --ca-file and --token-file');
      if (Object.keys(fields).length === 0) throw new CliError(CliErrorCode.Argument, 'say what is to change: --help');
      change(own, (document) => {
        const index = contexts.filter((one) => one.file === own).findIndex((one) => one.name === name);
        if (index < 0) document.addIn(['contexts'], document.createNode({ name, ...fields }));
        else for (const [key, value] of Object.entries(fields)) document.setIn(['contexts', index, key], value);
        const current = document.get('currentContext') ?? document.get('current-context');
        if (current === undefined) document.set('currentContext', name);
      });
      io.stdout(`context ${name} ${before === undefined ? 'created' : 'changed'}\n`);
    });

  context
    .command('rm')
    .alias('delete')
    .description('forget a context; its files stay')
    .argument('<context>', 'its whole name')
    .action((name: string) => {
      const { own, contexts } = contextsOf(io);
      const index = contexts.filter((one) => one.file === own).findIndex((one) => one.name === name);
      if (index < 0) throw new CliError(CliErrorCode.NotFound, `${own} has no context ${name}`);
      change(own, (document) => {
        document.deleteIn(['contexts', index]);
        for (const key of ['currentContext', 'current-context']) if (document.get(key) === name) document.delete(key);
      });
      io.stdout(`context ${name} removed\n`);
    });
}

const CONTEXTS: ListView<KnownContext> = {
  fields: ['name', 'apiUrl', 'apiCaFile', 'apiTokenFile', 'file', 'current'],
  columns: () => [
    { title: '', cell: ({ isCurrent }) => (isCurrent ? '*' : ''), tone: () => Tone.Good },
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'API SERVER', cell: ({ url }) => url ?? '' },
    { title: 'CA', cell: ({ caFile }) => caFile ?? '', wide: true },
    { title: 'TOKEN', cell: ({ tokenFile }) => tokenFile ?? '', wide: true },
    { title: 'FROM', cell: ({ file }) => file, wide: true },
  ],
  json: ({ name, url, caFile, tokenFile, file, isCurrent }) => ({
    name,
    apiUrl: url ?? null,
    apiCaFile: caFile ?? null,
    apiTokenFile: tokenFile ?? null,
    file,
    current: isCurrent,
  }),
  key: ({ name, file }) => `${file} ${name}`,
};

/** Changes the configuration and keeps its comments. A crash in between leaves the old one whole. */
function change(file: string, edit: (document: Document) => void): void {
  const document = readConfigDocument(file);
  edit(document);
  const temporary = `${file}.new-${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(temporary, document.toString({ lineWidth: 0 }), { mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `${file} cannot be written: ${reason}`, error);
  }
}
