import { CliError, CliErrorCode } from '../errors.ts';
import type { Json } from '../output.ts';
import { canonical } from './canonical.ts';
import { isObject, type JsonObject } from './resource.ts';

/** What a change can do besides replacing one value by another. */
export interface Changeable {
  /** Names of fields that a change can empty: the API keeps what a change leaves out, and an empty list is left out. */
  readonly emptiable: readonly string[];
  /** Whether a change can have labels. */
  readonly labelled: boolean;
}

/** Where a change comes from. */
export interface Change {
  /** For errors: `size c1`. */
  readonly what: string;
  /** As the API server has it. */
  readonly before: JsonObject;
  /** As somebody wrote it; keys may be the contract's snake_case names. */
  readonly document: JsonObject;
  /** The document as the API writes it, without what is empty. */
  readonly wanted: JsonObject;
  /** Whether the document is all there is to be, so that what it leaves out goes. */
  readonly whole: boolean;
}

/**
 * What a change sends: the fields of the document, with a value in each one that is to be emptied, and with labels in place
 * of those that are to go. Throws CliError where the API has no way to empty a field: nothing of the change is sent then.
 */
export function changesOf(change: Change, { emptiable, labelled }: Changeable): JsonObject {
  const { what, before, document, wanted, whole } = change;
  const emptied = Object.keys(before).filter(
    (name) =>
      name !== 'meta' &&
      !isEmpty(before[name]) &&
      (whole || isNamed(name, document)) &&
      isEmpty(valueOf(name, document)),
  );
  const kept = emptied.filter((name) => !emptiable.includes(name));
  if (kept.length > 0)
    throw new CliError(
      CliErrorCode.Argument,
      `${what}: ${kept.join(' and ')} cannot be emptied, since the API keeps what a change leaves empty: ` +
        'give another value, or remove it and make it anew',
    );
  const sent: Record<string, Json> = Object.fromEntries(
    Object.entries(wanted).filter(([name]) => name !== 'meta' && (whole || isNamed(name, document))),
  );
  for (const name of emptied) sent[name] = typeof before[name] === 'string' ? '' : {};
  const { meta } = document;
  const labels = labelsOf(wanted);
  // A part of a document that says nothing of labels leaves them alone.
  const isAboutLabels = whole || (isObject(meta) && meta['labels'] !== undefined);
  if (!isAboutLabels || canonical(labels) === canonical(labelsOf(before))) return sent;
  if (!labelled) throw new CliError(CliErrorCode.Argument, `${what}: labels cannot be changed, only be made with it`);
  return { ...sent, meta: { labels: { labels } } };
}

/** Whether a document has a field; it may be written with the contract's snake_case name. */
function isNamed(name: string, document: JsonObject): boolean {
  return name in document || snakeCase(name) in document;
}

function valueOf(name: string, document: JsonObject): Json | undefined {
  return document[name] ?? document[snakeCase(name)];
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Nothing to see; the API leaves it out, or shows it so. */
function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

function labelsOf({ meta }: JsonObject): { [key: string]: Json } {
  const labels = isObject(meta) && isObject(meta['labels']) ? meta['labels']['labels'] : undefined;
  return isObject(labels) ? labels : {};
}
