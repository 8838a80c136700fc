import { childrenOf, parseCompiledNode } from './compiled-node.ts';
import { referredTables } from './expectation.ts';
import { ErrorKind, kindOf } from './explain.ts';
import type { Finding } from './finding.ts';
import type { Place } from './instance-xml.ts';
import type { LibyangError } from './libyang-error.ts';
import type { InstanceItem, InstanceRow } from './translate.ts';

interface Missed {
  readonly table: string;
  /** Parts of the key of the row that is left out, or of which something is. */
  readonly parts: readonly string[];
  /** What was wrong; undefined: the row as a whole. */
  readonly field: string | undefined;
  /** The row is left out, not only the field. */
  readonly isRow: boolean;
}

/** What is left out of the data because it is wrong, and which errors that causes in turn. */
export class LeftOut {
  readonly omitted: Set<InstanceRow | InstanceItem> = new Set();
  readonly #missed: Missed[];

  /** `misfits` did not even get into the data. */
  constructor(misfits: readonly Finding[]) {
    this.#missed = misfits.map(({ table, key = '', field }) => ({
      table,
      parts: key.split('|'),
      field,
      isRow: field === undefined,
    }));
  }

  add({ row, field, item }: Place): void {
    const isRow = item === undefined;
    this.omitted.add(isRow ? row : item);
    this.#missed.push({ table: row.table.name, parts: row.key.split('|'), field, isRow });
  }

  /** Whether the error may be there only because something is left out: to be looked at when that is mended. */
  explains(error: LibyangError, place: Place, compiled: string): boolean {
    const { row, field, value = '' } = place;
    const kind = kindOf(error);
    const isOwn = ({ table, parts }: Missed): boolean => table === row.table.name && parts.join('|') === row.key;
    const mentions = (name: string): boolean => new RegExp(String.raw`\b${RegExp.escape(name)}\b`).test(compiled);
    switch (kind) {
      case ErrorKind.Missing:
        return this.#missed.some((missed) => isOwn(missed) && missed.field === field);
      // A name that its own row may not have does not fit the rows either that refer to it.
      case ErrorKind.Type:
      case ErrorKind.Reference: {
        const node = parseCompiledNode(compiled);
        const tables = new Set(node === undefined ? [] : childrenOf(node, 'type').flatMap(referredTables));
        return this.#missed.some(
          (missed) => missed.isRow && !isOwn(missed) && tables.has(missed.table) && missed.parts.includes(value),
        );
      }
      case ErrorKind.Rule: {
        const own = new Set([...row.key.split('|'), value]);
        return this.#missed.some((missed) =>
          isOwn(missed)
            ? missed.field !== undefined && missed.field !== field && mentions(missed.field)
            : (mentions(missed.table) || mentions(`${missed.table}_LIST`)) &&
              missed.parts.some((part) => own.has(part)),
        );
      }
    }
  }
}
