import { CliError, CliErrorCode } from './errors.ts';
import { nearNames } from './near-names.ts';

const naturally = new Intl.Collator('en', { numeric: true });

/** Compares as a person would: leaf2 before leaf10. */
export function compareNaturally(a: string, b: string): number {
  return naturally.compare(a, b);
}

const MOST = 5;

/** The thing called `wanted`, or the only one whose name begins so. Throws CliError with the names that are near. */
export function pick<T>(kind: string, wanted: string, things: readonly T[], nameOf: (thing: T) => string): T {
  const typed = wanted.toLowerCase();
  const exact = things.find((thing) => nameOf(thing).toLowerCase() === typed);
  if (exact !== undefined) return exact;
  const matches = typed === '' ? [] : things.filter((thing) => nameOf(thing).toLowerCase().startsWith(typed));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  throw new CliError(CliErrorCode.NotFound, notFound(kind, wanted, matches.length, things.map(nameOf)));
}

function notFound(kind: string, wanted: string, matches: number, names: readonly string[]): string {
  if (names.length === 0) return `there is no ${kind} ${wanted}; there is none at all`;
  const near = nearNames(wanted, names);
  if (matches > 1) return `${matches} ${kind} ids begin with ${wanted}; write more of it: ${near.join(', ')}`;
  if (near.length > 0) return `there is no ${kind} ${wanted}; did you mean ${near.join(' or ')}?`;
  const some = [...names].sort(compareNaturally).slice(0, MOST).join(', ');
  return `there is no ${kind} ${wanted}; there ${names.length > MOST ? 'are, among others,' : names.length === 1 ? 'is' : 'are'} ${some}`;
}
