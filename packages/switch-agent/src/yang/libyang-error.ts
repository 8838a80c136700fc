/** What libyang says is wrong with instance data. */
export interface LibyangError {
  readonly message: string;
  /** Path of a node of the data; undefined when it only knows where in the models. */
  readonly dataPath: string | undefined;
  readonly schemaPath: string | undefined;
  /** Of the text, counted from 1; undefined for what is only seen when all of it was read. */
  readonly line: number | undefined;
}

// `libyang[0]:` of a shell of commands, `libyang err :` of a single command.
const START = /^libyang(?:\[\d+\]| err ): ?/m;
const END = /\n(?:libyang|YANGLINT)[[ ]/;
const LOCATION =
  /^(.*) \((?:path: )?(?:Data location "(.*)"|Schema location "(.*)")?(?:, )?(?:[Ll]ine number (\d+))?\.\)$/s;

/** Reads the first of yanglint's complaints. What is not understood is all message. */
export function parseLibyangError(complaint: string): LibyangError {
  const start = START.exec(complaint);
  const [first = ''] = complaint.slice(start === null ? 0 : start.index + start[0].length).split(END);
  const [, message = first, dataPath, schemaPath, line] = LOCATION.exec(first) ?? [];
  return { message, dataPath, schemaPath, line: line === undefined ? undefined : Number(line) };
}
