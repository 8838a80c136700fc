import { type Command, InvalidArgumentError, Option } from 'commander';
import { columnName, parseSortBy } from './list/sort.ts';
import { DESCRIBE_FORMATS, LIST_FORMATS } from './output.ts';

/** Adds the flags that say which API server is meant. */
export function withApiFlags(command: Command): Command {
  return command
    .optionsGroup('API server:')
    .option('--api-url <url>', 'https://host:port or unix:/path (INGOT_API_URL)')
    .option('--api-ca-file <file>', "the server's CA, ca.pem (INGOT_API_CA_FILE)")
    .option('--api-token-file <file>', 'a file with the bearer token (INGOT_API_TOKEN_FILE)')
    .option('--context <name>', 'a context of ~/.config/ingot/config.yaml instead of the current one (INGOT_CONTEXT)')
    .option('--trace', 'say on standard error which calls are made, and how long each takes (INGOT_TRACE=1)');
}

const DEFAULT_INTERVAL_S = 5;
const MIN_INTERVAL_S = 1;
const MAX_INTERVAL_S = 3600;

/** What a list can be sorted by. */
interface Sortable {
  readonly columns: (nowMs: number) => readonly { readonly title: string }[];
}

/** Adds the flags of every `ls`, which shows one of these. */
export function withListFlags(command: Command, ...views: readonly Sortable[]): Command {
  const sortBy = new Option(
    '--sort-by <columns>',
    'sort by these columns, with commas between them; :desc behind one turns it round',
  ).argParser(parseSortBy);
  const names = views.flatMap((view) => view.columns(0).map(({ title }) => columnName(title)));
  // For the help and the shell; which columns there are is found out with the list.
  sortBy.argChoices = [...new Set(names)].filter((name) => name !== '');
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices(LIST_FORMATS).default('table'))
    .option(
      '--template <text>',
      "print each row by this, as Go's templates, with the fields of -o json: '{{ .meta.createdAt }}'",
    )
    .option('--no-headers', 'print no titles above the columns')
    .addOption(sortBy)
    .option('-w, --watch', 'look again and again: drawn anew on a terminal, changes only on a pipe')
    .addOption(
      new Option('--interval <duration>', 'how long to wait between two looks, 1s to 1h')
        .argParser(parseInterval)
        .default(DEFAULT_INTERVAL_S, '5s'),
    );
}

/** Adds the flags of every `describe`. */
export function withDescribeFlags(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices(DESCRIBE_FORMATS).default('yaml'))
    .option(
      '--template <text>',
      "print it by this, as Go's templates, with the fields of -o json: '{{ .meta.createdAt }}'",
    );
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Reads `90s`, `30m`, `8h` or `7d` as seconds. Throws commander's InvalidArgumentError. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const unit = match?.[2];
  if (match === null || (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd')) {
    throw new InvalidArgumentError('Write a number and s, m, h or d, such as 8h.');
  }
  return Number(match[1]) * SECONDS[unit];
}

function parseInterval(text: string): number {
  const seconds = parseDuration(text);
  if (seconds < MIN_INTERVAL_S || seconds > MAX_INTERVAL_S)
    throw new InvalidArgumentError('Write 1s to 1h: more often would be a load, more seldom of no use.');
  return seconds;
}

/** Reads a whole number from `least` to `most`. Throws commander's InvalidArgumentError. */
export function parseCount(least: number, most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!(count >= least && count <= most)) throw new InvalidArgumentError(`Write a number from ${least} to ${most}.`);
    return count;
  };
}

/** Collects `key=value` of an option that may be repeated. Throws commander's InvalidArgumentError. */
export function parsePair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
