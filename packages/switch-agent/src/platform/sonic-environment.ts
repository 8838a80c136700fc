/** The names and values of `sonic-environment`, a shell fragment of `NAME=value` lines that SONiC writes at boot. */
export function parseEnvironment(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Z_][A-Z0-9_]*)=(.*)$/.exec(line);
    if (match === null) continue;
    const value = (match[2] ?? '').trim().replace(/^(["'])(.*)\1$/, '$2');
    if (value !== '') values.set(match[1] ?? '', value);
  }
  return values;
}
