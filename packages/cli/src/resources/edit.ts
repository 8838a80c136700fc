import { LineCounter, parseAllDocuments } from 'yaml';
import { ApiError } from '@ingot/api';
import type { Api } from '../api.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { formatJson, type Json } from '../output.ts';
import { canonical } from './canonical.ts';
import { changesOf, type Changeable } from './emptied.ts';
import { editText } from './editor.ts';
import { isObject, type Item, type JsonObject } from './resource.ts';

/** Something that can be edited as a document. */
export interface Editable {
  readonly kind: string;
  readonly seen: Item;
  /** What the document shows of it: what cannot be changed may be left out. */
  readonly shown: JsonObject;
  /** Names of fields that cannot be changed. */
  readonly fixed: readonly string[];
  readonly changeable: Changeable;
  /** Checks the edited document, and gives it in the form of `seen`. Throws CliError naming the field. */
  readonly parse: (edited: JsonObject) => Item;
  /** Stores the change, only if nobody has changed the thing since it was seen. Throws ApiError, CliError. */
  readonly save: (changed: JsonObject) => Promise<Item>;
}

/**
 * Opens an editor on the document, and stores what comes out of it. When that is refused the text is kept, and the error
 * says where. Throws CliError.
 */
export async function edit(editable: Editable, api: Api, io: CliIo): Promise<void> {
  const { kind, seen, shown, fixed } = editable;
  const before = formatJson({ ...shown }, 'yaml');
  const head = [
    `# ${kind} ${seen.id.replaceAll('\n', ' ')}: save and leave the editor to change it; an empty file leaves it as it is.`,
    ...(fixed.length === 0 ? [] : [`# These cannot be changed: ${fixed.join(', ')}`]),
  ];
  const edited = await editText(`${head.join('\n')}\n${before}`, `${kind}-${seen.id}`, io);
  let stayed: readonly string[] = [];
  try {
    const document = readDocument(edited.text);
    if (document === undefined || canonical(document) === canonical(shown)) {
      edited.discard();
      io.stdout(`${kind} ${seen.id} unchanged\n`);
      return;
    }
    const moved = fixed.find((name) => canonical(document[name] ?? null) !== canonical(shown[name] ?? null));
    if (moved !== undefined) throw new CliError(CliErrorCode.Argument, `${moved} cannot be changed`);
    const { id, json: wanted } = editable.parse(document);
    if (id !== seen.id)
      throw new CliError(
        CliErrorCode.Argument,
        `${seen.id} cannot become ${id === '' ? 'nameless' : id}: make it anew`,
      );
    const what = `${kind} ${seen.id}`;
    const sent = changesOf({ what, before: shown, document, wanted, whole: true }, editable.changeable);
    stayed = notTaken(document, shown, (await editable.save(sent)).json);
  } catch (error) {
    throw refused(error, editable, edited.file, api);
  }
  edited.discard();
  io.stdout(`${kind} ${seen.id} changed\n`);
  if (stayed.length > 0) io.stderr(`ingot: ${stayed.join(', ')} stayed as before: the API server did not take it\n`);
}

/** Fields that were changed, or taken out, and that the server has as before. */
function notTaken(edited: JsonObject, shown: JsonObject, stored: JsonObject): string[] {
  return Object.keys({ ...shown, ...edited }).filter((name) => {
    if (name === 'meta') return false;
    // The server leaves out what is empty.
    const [wanted, before, after] = [edited[name], shown[name], stored[name]].map((value) => canonical(value || null));
    return wanted !== before && before === after;
  });
}

function refused(error: unknown, { kind, seen }: Editable, file: string, api: Api): unknown {
  const known = error instanceof ApiError ? api.explain(error) : error;
  if (!(known instanceof CliError)) return error;
  const advice =
    known.code === CliErrorCode.Conflict
      ? `Your text is kept in ${file}; edit anew, and take over from it what still holds.`
      : `Your text is kept in ${file}; mend it there, or edit ${kind} ${seen.id} anew.`;
  return new CliError(known.code, `${known.message}\n${advice}`, known);
}

function readDocument(text: string): JsonObject | undefined {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const documents = Array.isArray(parsed) ? parsed : [];
  const [document, second] = documents;
  if (document === undefined) return undefined;
  const [error] = documents.flatMap((one) => one.errors);
  if (error !== undefined)
    throw new CliError(CliErrorCode.Argument, `line ${lineCounter.linePos(error.pos[0]).line}: ${error.message}`);
  if (second !== undefined) throw new CliError(CliErrorCode.Argument, 'there are several documents; one is wanted');
  const value: Json = document.toJS({ maxAliasCount: 100 });
  if (value === null) return undefined;
  if (isObject(value)) return value;
  throw new CliError(CliErrorCode.Argument, 'the text is no mapping of fields to values any more');
}
