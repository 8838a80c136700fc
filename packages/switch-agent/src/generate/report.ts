/** Where in the YAML something stands: `['vlans', 0, 'ip']`. */
export type Path = readonly (string | number)[];

/** Collects what is wrong with a configuration, and what its author should know. */
export interface Report {
  /** Something that has to be mended; there is no output then. */
  problem(path: Path, words: string): void;
  /** Something that is done otherwise than written, or not at all. */
  note(path: Path, words: string): void;
}

/** The words for a name that is not there. */
export function unknownName(what: string, name: string, near: string | undefined, known: readonly string[]): string {
  if (near !== undefined) return `there is no ${what} ${name}; did you mean ${near}?`;
  if (known.length === 0) return `there is no ${what} ${name}, nor any other`;
  const shown = known.slice(0, 8).join(', ');
  return `there is no ${what} ${name}; write one of ${shown}${known.length > 8 ? ` and ${known.length - 8} more` : ''}`;
}
