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

/** `VLAN_MEMBER|Vlan10|Ethernet4 tagging_mode: is missing`. */
export function printFinding({ severity, table, key, field, message }: Finding): string {
  const row = key === undefined ? table : `${table}|${key}`;
  return `${severity === 'warning' ? 'warning: ' : ''}${printable(field === undefined ? row : `${row} ${field}`)}: ${printable(message)}`;
}

// A name from a hostile file must not move the cursor of the terminal that it is shown on.
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u{2028}\u{2029}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return String.raw`\u{${code.toString(16)}}`;
  });
}
