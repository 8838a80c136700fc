import type { Command } from 'commander';
import { type Api, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { type DescribeFlags, showOne } from '../describe.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { type ListFlags, type ListView, showApiList } from '../list/list.ts';
import { compareNaturally } from '../names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import { projectUuid } from '../project-name.ts';
import { durationText } from '../time-text.ts';
import { applyDocuments } from './apply.ts';
import { RESOURCES } from './catalogue.ts';
import { checkNeeds, documentOf, withCreationFlags } from './creation.ts';
import { readDocuments } from './documents.ts';
import { edit } from './edit.ts';
import { exactItem, findItem, listItems } from './find.ts';
import { addResourceExtras } from './extras.ts';
import { textAt, type Item, type JsonObject, type Resource } from './resource.ts';
import { fieldNames } from '../template/fields.ts';

interface ApplyFlags extends ContextFlags {
  readonly file: readonly string[];
}

type Flags = Readonly<Record<string, unknown>>;

const FILE = [
  '-f, --file <file...>',
  'YAML or JSON, several documents in one file, several files; - for standard input',
] as const;

/** `ls`, `describe`, `create`, `apply`, `edit` and `rm` of every kind, and `ingot apply` for documents of all kinds. */
export function addResourceCommands(program: Command, io: CliIo): void {
  for (const resource of RESOURCES) {
    const command = program.command(resource.kind).description(resource.description).helpCommand(false);
    addReading(command, io, resource);
    addWriting(command, io, resource);
    addResourceExtras(command, io, resource.kind);
  }
  withApiFlags(
    program
      .command('apply')
      .description('make things be as documents say, each with its kind; may be repeated')
      .requiredOption(...FILE),
  ).action(async (flags: ApplyFlags) => apply(flags, io, RESOURCES, await readDocuments(io, flags.file)));
}

function addReading(command: Command, io: CliIo, resource: Resource): void {
  const fields = fieldNames(resource.schema);
  const view: ListView<Item> = {
    fields,
    columns: (nowMs) => [
      ...resource.columns.map(({ title, value, wide }) => ({
        title,
        cell: ({ json }: Item) => (typeof value === 'string' ? textAt(json, value) : value(json)),
        ...(wide === undefined ? {} : { wide }),
      })),
      ...(['created', 'updated'] as const).map((what) => ({
        title: what.toUpperCase(),
        cell: ({ json }: Item) => {
          const ms = Date.parse(textAt(json, `meta.${what}At`));
          return Number.isNaN(ms) ? '' : durationText(nowMs - ms);
        },
        wide: true,
        passing: true,
      })),
    ],
    json: ({ json }) => ({ ...json }),
    key: ({ id, json }) => `${id} ${textAt(json, 'namespace')}`,
  };

  withApiFlags(
    withScope(
      withListFlags(
        command
          .command('ls')
          .alias('list')
          .description(`list the ${nounOf(resource)}s`),
        view,
      ),
      resource,
    ),
  ).action((flags: ListFlags & ContextFlags & Flags) =>
    showApiList(flags, io, view, async (api) => {
      const items = await listItems(api, resource, await scopeOf(api, resource, flags));
      return items.toSorted((a, b) => compareNaturally(a.id, b.id));
    }),
  );

  withApiFlags(
    withScope(
      withDescribeFlags(
        command
          .command('describe')
          .description(`show all there is to know of ${oneOf(resource)}`)
          .argument('<id>', 'its id, its name, or the beginning of the id'),
      ),
      resource,
    ),
  ).action(async (id: string, flags: DescribeFlags & ContextFlags & Flags) => {
    const item = await withApi(flags, io, async (api) =>
      findItem(api, resource, id, await scopeOf(api, resource, flags)),
    );
    showOne(flags, io, { ...item.json }, fields);
  });
}

function addWriting(command: Command, io: CliIo, resource: Resource): void {
  const { kind } = resource;
  withApiFlags(
    withCreationFlags(
      command
        .command('create')
        .description(`make ${oneOf(resource)}, of flags or of a document; what is there already is refused`)
        .option(...FILE),
      resource,
    ),
  ).action(async (flags: Partial<ApplyFlags> & Flags) => {
    const given = documentOf(resource, flags);
    const documents = flags.file === undefined ? [given] : await documentsOf(io, resource, flags.file);
    if (flags.file === undefined) checkNeeds(resource, given);
    else if (Object.keys(given).length > 0)
      throw new CliError(CliErrorCode.Argument, 'give either flags or a document with -f, not both');
    await create(flags, io, resource, documents);
  });

  withApiFlags(
    command
      .command('apply')
      .description(`make ${oneOf(resource)} be as a document says; may be repeated`)
      .requiredOption(...FILE),
  ).action(async (flags: ApplyFlags) => apply(flags, io, [resource], await documentsOf(io, resource, flags.file)));

  const { update } = resource;
  if (update !== undefined)
    withApiFlags(
      withOwner(
        command
          .command('edit')
          .description(
            `change ${oneOf(resource)} in $VISUAL or $EDITOR; refused when somebody else has changed it meanwhile`,
          )
          .argument('<id>', 'written in full'),
        resource,
      ),
    ).action((id: string, flags: ContextFlags & Flags) =>
      withApi(flags, io, async (api) => {
        const seen = await exactItem(api, resource, id, await scopeOf(api, resource, flags));
        const { changeable } = resource;
        const parse = (edited: JsonObject): Item => resource.parse(edited);
        const save = (json: JsonObject): Promise<Item> => update(api, { id: seen.id, json }, seen);
        const fixed = resource.fixed.filter((name) => name !== 'meta' && name in seen.json);
        await edit({ kind, seen, shown: seen.json, fixed, changeable, parse, save }, api, io);
      }),
    );

  withApiFlags(
    withOwner(
      command
        .command('rm')
        .alias('delete')
        .description(`remove ${nounOf(resource)}s`)
        .argument('<id...>', 'each written in full'),
      resource,
    ),
  ).action(async (ids: readonly string[], flags: ContextFlags & Flags) => {
    await withApi(flags, io, async (api) => {
      // All are looked for before any is removed.
      const found: Item[] = [];
      for (const id of ids) found.push(await exactItem(api, resource, id, await scopeOf(api, resource, flags)));
      for (const item of found) {
        await resource.remove(api, item);
        io.stdout(`${kind} ${item.id} removed\n`);
      }
    });
  });
}

function withScope(command: Command, { scope }: Resource): Command {
  return scope === undefined ? command : command.option(scope.flag, scope.description);
}

/** For what changes or removes: the same id may be in several projects. */
function withOwner(command: Command, { scope }: Resource): Command {
  return scope?.flag.startsWith('--project') === true ? command.option(scope.flag, 'whose it is') : command;
}

function nounOf({ kind }: Resource): string {
  return kind.replaceAll('-', ' ');
}

function oneOf(resource: Resource): string {
  const noun = nounOf(resource);
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** What was given for the flag of a scope. */
function scopeOf(api: Api, { scope }: Resource, flags: Flags): Promise<string | undefined> {
  const name = scope === undefined ? undefined : /^--(\w+)/.exec(scope.flag)?.[1];
  const given = name === undefined ? undefined : flags[name];
  if (typeof given === 'string') return projectUuid(api, given);
  return Promise.resolve(given === true ? '' : undefined);
}

async function documentsOf(io: CliIo, { kind }: Resource, files: readonly string[]): Promise<JsonObject[]> {
  return (await readDocuments(io, files)).map((document) => ({ kind, ...document }));
}

async function create(
  flags: ContextFlags,
  io: CliIo,
  resource: Resource,
  documents: readonly JsonObject[],
): Promise<void> {
  const items = documents.map(({ kind, ...fields }) => {
    if (kind === undefined || kind === resource.kind) return resource.parse(fields);
    throw new CliError(CliErrorCode.Argument, `a document is of kind ${JSON.stringify(kind)}, no ${resource.kind}`);
  });
  await withApi(flags, io, async (api) => {
    for (const item of items) {
      const { project } = item.json;
      const owned =
        typeof project === 'string' && project !== '' && resource.kind !== 'project'
          ? { ...item, json: { ...item.json, project: await projectUuid(api, project) } }
          : item;
      const made = await resource.create(api, owned);
      io.stdout(`${resource.kind} ${made.id} created\n`);
    }
  });
}

async function apply(
  flags: ApplyFlags,
  io: CliIo,
  resources: readonly Resource[],
  documents: readonly JsonObject[],
): Promise<void> {
  await withApi(flags, io, (api) =>
    applyDocuments(api, resources, documents, (applied) =>
      io.stdout(`${applied.kind} ${applied.id} ${applied.outcome}\n`),
    ),
  );
}
