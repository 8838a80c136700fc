import type { Field, FieldKind } from './config-fields.ts';

/** A value, or why the text is none. */
export type TextValue = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly words: string };

/**
 * Turns the text of a flag or an environment variable into a field's value. Lists of texts or numbers are separated by
 * commas; anything nested is JSON. A text of the wrong kind stays a text, for the schema to refuse in its own words.
 */
export function valueOfText(field: Field, text: string): TextValue {
  if (field.kind === 'list' && !text.trimStart().startsWith('[')) {
    const items = text.trim() === '' ? [] : text.split(',').map((item) => scalar(field.itemKind, item.trim()));
    return { ok: true, value: items };
  }
  if (field.kind === 'json' || field.kind === 'list') {
    try {
      const value: unknown = JSON.parse(text);
      return { ok: true, value };
    } catch {
      const found = field.secret ? 'a text that is not JSON' : JSON.stringify(text);
      return { ok: false, words: `found ${found}; write JSON, as [{"key": "value"}]` };
    }
  }
  return { ok: true, value: scalar(field.kind, text) };
}

function scalar(kind: FieldKind, text: string): unknown {
  if (kind === 'number') {
    const number = Number(text);
    return text.trim() === '' || !Number.isFinite(number) ? text : number;
  }
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
