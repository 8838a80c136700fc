import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** A warning or error of a daemon's log, once with its count. */
export interface Complaint {
  readonly level: string;
  /** Of the first such line. */
  readonly message: string;
  readonly count: number;
}

/** The warnings and errors in a file of JSON log lines, most frequent first; at most 200 different ones are kept. */
export async function readComplaints(path: string): Promise<Complaint[]> {
  const found = new Map<string, { level: string; message: string; count: number }>();
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.includes('"level":"warn"') && !line.includes('"level":"error"')) continue;
    const entry: { level: string; msg: string; err?: { message: string } } = JSON.parse(line);
    const message = [entry.msg, entry.err?.message].filter((part) => part !== undefined).join(': ');
    // Numbers, addresses and names differ from line to line.
    const key = `${entry.level} ${message.replaceAll(/[0-9a-f]*\d[0-9a-f.:]*/g, '#').slice(0, 60)}`;
    const known = found.get(key);
    if (known !== undefined) known.count += 1;
    else if (found.size < 200) found.set(key, { level: entry.level, message, count: 1 });
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count);
}
