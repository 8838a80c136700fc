/** The warnings and errors in a daemon's JSON log lines, each message once with its count, most frequent first. */
export function complaintsIn(
  output: string,
): { readonly level: string; readonly message: string; readonly count: number }[] {
  const found = new Map<string, { level: string; message: string; count: number }>();
  for (const line of output.split('\n')) {
    if (!line.includes('"level":"warn"') && !line.includes('"level":"error"')) continue;
    const entry: { level: string; msg: string; reason?: string; err?: { message: string } } = JSON.parse(line);
    const message = [entry.msg, entry.err?.message].filter((part) => part !== undefined).join(': ');
    // Numbers, addresses and hexadecimal names differ from line to line.
    const key = `${entry.level} ${message.replaceAll(/[0-9a-f]*\d[0-9a-f.:]*/g, '#')}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { level: entry.level, message, count: 1 });
    else known.count += 1;
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count);
}
