import type { LintRule } from './lint.ts';
import { routeMapEntries, type RouteMapEntry } from './route-map-entries.ts';

/** Entries that are given twice, and what within one entry FRR refuses or takes for something else. */
export const lintRouteMaps: LintRule = (lines, complain) => {
  const seen = new Map<string, RouteMapEntry>();
  for (const entry of routeMapEntries(lines)) {
    const key = `${entry.name} ${entry.sequence}`;
    const first = seen.get(key);
    if (first !== undefined) {
      complain(
        entry.opener,
        `line ${first.opener.number} has the same number; FRR makes one entry of both, give this another`,
      );
    }
    seen.set(key, first ?? entry);
    lintEntry(entry, complain);
  }
};

function lintEntry(entry: RouteMapEntry, complain: Parameters<LintRule>[1]): void {
  const matches = new Map<string, number>();
  for (const line of entry.lines) {
    const words = line.text.split(' ');
    if (words[0] === 'match') {
      const kind = matchKind(words);
      const earlier = matches.get(kind);
      if (earlier !== undefined) {
        complain(
          line,
          kind === 'evpn vni'
            ? `line ${earlier} asks for a VNI as well: FRR drops both, and the entry is for every route; make an entry for each`
            : `line ${earlier} says "match ${kind}" as well, and FRR keeps the last; make an entry for each`,
        );
      }
      matches.set(kind, line.number);
      if (kind === 'evpn vni' && !isVni(words.at(-1))) complain(line, 'a VNI is 1 to 16777215');
    }
    if (words[0] === 'call' && words[1] === entry.name) complain(line, 'a route-map cannot call itself');
    if (line.text.startsWith('on-match goto ') && Number(words[2]) <= entry.sequence) {
      complain(line, `can only go on to an entry behind ${entry.sequence}`);
    }
  }
}

/** What a `match` asks about: `ip address`, whether by list or by prefix-list, `evpn vni`, `community`, ... */
function matchKind(words: readonly string[]): string {
  return ['ip', 'ipv6', 'evpn'].includes(words[1] ?? '') ? `${words[1]} ${words[2]}` : (words[1] ?? '');
}

function isVni(text: string | undefined): boolean {
  const vni = Number(text);
  return Number.isInteger(vni) && vni >= 1 && vni < 2 ** 24;
}
