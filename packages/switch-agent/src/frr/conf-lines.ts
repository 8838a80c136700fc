/** A line of an FRR configuration that says something, and where it stands. */
export interface ConfLine {
  /** From 1. */
  readonly number: number;
  /** Trimmed, its words parted by single spaces. */
  readonly text: string;
  /** The lines that opened the blocks that it is in, outermost first: `['router bgp 65000', 'address-family ipv4 unicast']`. */
  readonly path: readonly string[];
  /** Whether it opens a block itself. */
  readonly opens: boolean;
}

// Lines that open a block at the top level, by their first words.
const TOP_BLOCKS =
  /^(?:router|interface|vrf|route-map|line|bfd|key chain|nexthop-group|pbr-map|rpki|segment-routing|mpls ldp|l2vpn)\b/;
// Blocks within a block, by the first word of the outer one.
const INNER_BLOCKS: ReadonlyArray<readonly [within: RegExp, opener: RegExp]> = [
  [/^router\b/, /^address-family\b/],
  [/^mpls ldp/, /^address-family\b/],
  [/^address-family l2vpn evpn/, /^vni \d+$/],
  [/^bfd\b/, /^(?:peer|profile)\b/],
  [/^key chain\b/, /^key \d+$/],
];
// Lines that can only stand at the top level, so that they close whatever is open; `vtysh` looks them up the same way.
const TOP_LINES =
  /^(?:no )?(?:ip prefix-list|ipv6 prefix-list|ip community-list|bgp (?:as-path|community-list|large-community-list|extcommunity-list)|ip as-path|access-list|ipv6 access-list|hostname|domainname|password|enable|log|debug|service|frr|agentx|fpm|banner|zebra|ip forwarding|ipv6 forwarding|username|ip nht|ipv6 nht|ip router-id)\b/;
// These stand at the top level and in `vrf` blocks.
const TOP_OR_VRF_LINES = /^(?:no )?(?:ip route|ipv6 route|ip protocol|ipv6 protocol)\b/;

/**
 * Reads an FRR configuration file, or the output of `show running-config`, as `vtysh` does: what opens a block is known
 * by its words, indentation means nothing, and a line that does not belong into the open block closes it.
 *
 * Knows no command's arguments: whether a line makes sense is for `vtysh -C` and the lint.
 */
export function parseConf(text: string): readonly ConfLine[] {
  const lines: ConfLine[] = [];
  let path: readonly string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim().replaceAll(/\s+/g, ' ');
    if (line === '' || line.startsWith('!') || line.startsWith('#')) continue;
    const left = leave(path, line);
    if (left !== undefined) {
      path = left;
      continue;
    }
    path = climb(path, line);
    const opens = opensBlock(path, line);
    lines.push({ number: index + 1, text: line, path, opens });
    if (opens) path = [...path, line];
  }
  return lines;
}

/** Writes lines as a configuration file, with the words that close their blocks. */
export function printConf(lines: readonly ConfLine[]): string {
  const printed: string[] = [];
  let open: readonly string[] = [];
  const closeTo = (depth: number): void => {
    for (let level = open.length - 1; level >= depth; level -= 1) {
      const closer = /^(?:address-family|vrf|vni)(?= )/.exec(open[level] ?? '')?.[0];
      printed.push(`${' '.repeat(level)}exit${closer === undefined ? '' : `-${closer}`}`);
    }
  };
  for (const { text, path, opens } of lines) {
    const common = path.findIndex((opener, level) => opener !== open[level]);
    // A block is opened by its own line, which also tells two blocks of one name apart.
    closeTo(common === -1 ? path.length : common);
    printed.push(`${' '.repeat(path.length)}${text}`);
    open = opens ? [...path, text] : path;
  }
  closeTo(0);
  return `${printed.join('\n')}\n`;
}

/** The path after a line that closes blocks; undefined for any other line. */
function leave(path: readonly string[], line: string): readonly string[] | undefined {
  if (line === 'end') return [];
  if (line === 'exit') return path.slice(0, -1);
  const closed = /^exit-(address-family|vrf|vni|ldp-if)$/.exec(line)?.[1];
  if (closed === undefined) return undefined;
  const depth = path.findLastIndex((opener) => opener.startsWith(closed));
  return depth === -1 ? path : path.slice(0, depth);
}

function climb(path: readonly string[], line: string): readonly string[] {
  const inner = path.findLastIndex((outer) =>
    INNER_BLOCKS.some(([within, opener]) => within.test(outer) && opener.test(line)),
  );
  if (inner !== -1) return path.slice(0, inner + 1);
  if (TOP_OR_VRF_LINES.test(line)) return path[0]?.startsWith('vrf ') === true ? path.slice(0, 1) : [];
  return TOP_LINES.test(line) || TOP_BLOCKS.test(line) ? [] : path;
}

function opensBlock(path: readonly string[], line: string): boolean {
  const outer = path.at(-1);
  if (outer === undefined) return TOP_BLOCKS.test(line);
  return INNER_BLOCKS.some(([within, opener]) => within.test(outer) && opener.test(line));
}
