import type { Command } from 'commander';
import { withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { compareNaturally, pick } from '../names.ts';
import { withApiFlags, withDescribeFlags, withListFlags } from '../options.ts';
import { formatJson, formatList, type DescribeFormat, type ListFormat } from '../output.ts';
import { applyDocuments } from './apply.ts';
import { RESOURCES } from './catalogue.ts';
import { readDocuments } from './documents.ts';
import { addSizeAdvice } from './size-advice.ts';
import { textAt, type Item, type Resource } from './resource.ts';

interface ListFlags extends ContextFlags {
  readonly output: ListFormat;
  readonly headers: boolean;
}

interface DescribeFlags extends ContextFlags {
  readonly output: DescribeFormat;
}

interface ApplyFlags extends ContextFlags {
  readonly file: string;
}

/** `ls`, `describe`, `apply` and `rm` of every kind, and `ingot apply` for documents of all kinds. */
export function addResourceCommands(program: Command, io: CliIo): void {
  for (const resource of RESOURCES) {
    const command = addResource(program, io, resource);
    if (resource.kind === 'size') addSizeAdvice(command, io);
  }
  withApiFlags(
    program
      .command('apply')
      .description('make things be as documents say, each with its kind; may be repeated')
      .requiredOption('-f, --file <file>', 'YAML or JSON, several documents in one file; - for standard input'),
  ).action((flags: ApplyFlags) => apply(flags, io, RESOURCES, undefined));
}

function addResource(program: Command, io: CliIo, resource: Resource): Command {
  const { kind } = resource;
  const command = program.command(kind).description(resource.description).helpCommand(false);

  withApiFlags(withListFlags(command.command('ls').alias('list').description(`list what there is`))).action(
    async (flags: ListFlags) => {
      const items = await withApi(flags, io, (api) => resource.list(api));
      io.stdout(
        formatList(
          items.toSorted((a, b) => compareNaturally(a.id, b.id)),
          {
            format: flags.output,
            headers: flags.headers,
            columns: resource.columns.map(({ title, value, wide }) => ({
              title,
              cell: ({ json }: Item) => (typeof value === 'string' ? textAt(json, value) : value(json)),
              ...(wide === undefined ? {} : { wide }),
            })),
            json: ({ json }) => json,
          },
        ),
      );
    },
  );

  withApiFlags(
    withDescribeFlags(command.command('describe').description('show all there is to know of one').argument('<id>')),
  ).action(async (id: string, flags: DescribeFlags) => {
    const items = await withApi(flags, io, (api) => resource.list(api));
    io.stdout(formatJson(pick(kind, id, items, (item) => item.id).json, flags.output));
  });

  withApiFlags(
    command
      .command('apply')
      .alias('create')
      .description('make it be as a document says; may be repeated')
      .requiredOption('-f, --file <file>', 'YAML or JSON, several documents in one file; - for standard input'),
  ).action((flags: ApplyFlags) => apply(flags, io, [resource], kind));

  withApiFlags(
    command.command('rm').alias('delete').description('remove it').argument('<id...>', 'each written in full'),
  ).action(async (ids: readonly string[], flags: ContextFlags) => {
    await withApi(flags, io, async (api) => {
      const items = await resource.list(api);
      // All are looked for before any is removed.
      const found = ids.map((id) => exact(kind, id, items));
      for (const item of found) {
        await resource.remove(api, item);
        io.stdout(`${kind} ${item.id} removed\n`);
      }
    });
  });
  return command;
}

/** Nothing is removed by the beginning of its name. */
function exact(kind: string, id: string, items: readonly Item[]): Item {
  const near = items.find((item) => item.id === id) ?? pick(kind, id, items, (item) => item.id);
  if (near.id === id) return near;
  throw new CliError(CliErrorCode.Argument, `there is no ${kind} ${id}; write ${near.id} if that is meant`);
}

async function apply(
  flags: ApplyFlags,
  io: CliIo,
  resources: readonly Resource[],
  kind: string | undefined,
): Promise<void> {
  const documents = readDocuments(flags.file).map((document) =>
    kind === undefined ? document : { kind, ...document },
  );
  await withApi(flags, io, (api) =>
    applyDocuments(api, resources, documents, (applied) =>
      io.stdout(`${applied.kind} ${applied.id} ${applied.outcome}\n`),
    ),
  );
}
