import type { ConfLine } from './conf-lines.ts';

/** `route-map NAME permit|deny NUMBER` and what stands in it. */
export interface RouteMapEntry {
  readonly name: string;
  readonly action: 'permit' | 'deny';
  readonly sequence: number;
  readonly opener: ConfLine;
  readonly lines: readonly ConfLine[];
}

const OPENER = /^route-map (\S+) (permit|deny) (\d+)$/;

/** The route-map entries of a configuration, one for each line that opens one, in their order. */
export function routeMapEntries(lines: readonly ConfLine[]): readonly RouteMapEntry[] {
  const entries: Array<Omit<RouteMapEntry, 'lines'> & { readonly lines: ConfLine[] }> = [];
  for (const line of lines) {
    const match = line.path.length === 0 ? OPENER.exec(line.text) : null;
    if (match !== null) {
      const [, name = '', action, sequence] = match;
      entries.push({
        name,
        action: action === 'permit' ? 'permit' : 'deny',
        sequence: Number(sequence),
        opener: line,
        lines: [],
      });
      continue;
    }
    const entry = entries.at(-1);
    if (entry !== undefined && line.path[0] === entry.opener.text) entry.lines.push(line);
  }
  return entries;
}
