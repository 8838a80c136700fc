import { printable } from '../printable.ts';

/** What is wrong with a configuration, in the words of `config_db.json`. */
export interface Finding {
  /** A warning does not make a configuration invalid. */
  readonly severity: 'error' | 'warning';
  readonly table: string;
  /** Undefined: it is about the table. */
  readonly key?: string;
  /** A field of the row, or a part of its key by the name that the model has for it. */
  readonly field?: string;
  /** What is wrong and what to write instead, with no value of a field that holds a secret. */
  readonly message: string;
}

// Twice the longest line that a message of a model makes.
const MAX_PRINTED = 1_000;

/** `VLAN_MEMBER|Vlan10|Ethernet4 tagging_mode: is missing`. */
export function printFinding({ severity, table, key, field, message }: Finding): string {
  const row = key === undefined ? table : `${table}|${key}`;
  const place = field === undefined ? row : `${row} ${field}`;
  return `${severity === 'warning' ? 'warning: ' : ''}${shown(place)}: ${shown(message)}`;
}

/** A hostile file has names of megabytes. */
function shown(text: string): string {
  return printable(text.length <= MAX_PRINTED ? text : `${text.slice(0, MAX_PRINTED)}…`);
}
