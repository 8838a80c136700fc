import { parseInterfaceAddress } from '@ingot/wire';
import type { ConfLine } from './conf-lines.ts';
import type { LintRule } from './lint.ts';

const ENTRY =
  /^(ip|ipv6) prefix-list (\S+) (?:seq (\d+) )?(permit|deny) (\S+)(?: ge (\d+))?(?: le (\d+))?(?: ge (\d+))?$/;

/**
 * Entries that zebra's and bgpd's northbound refuses, and with them every prefix-list and route-map of the file, and
 * entries that replace one another.
 */
export const lintPrefixLists: LintRule = (lines, complain) => {
  const bySequence = new Map<string, ConfLine>();
  const byPrefix = new Map<string, ConfLine>();
  for (const line of lines) {
    const match = ENTRY.exec(line.text);
    if (match === null) continue;
    const [, command = '', name = '', sequence, action = '', prefix = '', geFirst, leText, geLast] = match;
    const key = `${command} ${name}`;
    const same = sequence === undefined ? undefined : bySequence.get(`${key} ${sequence}`);
    if (same !== undefined) {
      complain(
        line,
        `replaces the entry of line ${same.number}, which has the number ${sequence} too; give it another`,
      );
    }
    if (sequence !== undefined) bySequence.set(`${key} ${sequence}`, same ?? line);

    if (prefix === 'any') continue;
    const written = parseInterfaceAddress(prefix);
    if (!written.ok) {
      complain(line, `"${prefix}" is not a prefix; write one as 10.0.0.0/8 or 2001:db8::/32`);
      continue;
    }
    const parsed = written.value;
    if (parsed.family === 'ipv6' && command === 'ip') complain(line, 'holds an IPv6 prefix; write "ipv6 prefix-list"');
    if (parsed.value !== parsed.first)
      complain(line, `${prefix} has bits behind its length, which FRR drops; write the network address`);
    const ge = geFirst ?? geLast;
    const low = ge === undefined ? parsed.length : Number(ge);
    const high = leText === undefined ? undefined : Number(leText);
    if (low < parsed.length || (high !== undefined && (high < low || high < parsed.length))) {
      complain(line, `must have ${parsed.length} <= ge <= le: FRR refuses all lists and maps together with this entry`);
    }
    const value = `${key} ${action} ${prefix} ${ge ?? ''} ${leText ?? ''}`;
    const twin = byPrefix.get(value);
    if (twin !== undefined && twin !== same) {
      complain(line, `says what line ${twin.number} says, and FRR keeps one of them; leave one out`);
    }
    byPrefix.set(value, twin ?? line);
  }
};
