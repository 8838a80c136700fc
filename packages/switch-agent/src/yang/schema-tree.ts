/** A node of the tree that yanglint prints of a module, with `uses`, `grouping` and `augment` resolved. */
export interface SchemaNode {
  readonly kind: 'container' | 'list' | 'leaf' | 'leaf-list' | 'choice' | 'case';
  readonly name: string;
  /** Of a list, in their order. */
  readonly keys: readonly string[];
  /** Of a leaf or a choice; true for the keys of a list too. */
  readonly isMandatory: boolean;
  readonly children: readonly SchemaNode[];
}

// `  |  +--rw NAME* [KEY KEY]   TYPE`: RFC 8340, section 2.6; `x` and `o` mark deprecated and obsolete nodes.
const NODE = /^([ |]*)[+xo]--(rw|:)\s*(.*)$/;
const DATA = /^(?:[\w.-]+:)?([\w.-]+)([?!*]?)(?:\s+\[([^\]]*)\])?(?:\s+\S.*)?$/;
const CHOICE = /^\(([\w.-]+)\)(\??)/;

interface Building {
  readonly depth: number;
  readonly node: SchemaNode & { readonly children: SchemaNode[] };
}

/**
 * Reads the output of `yanglint -f tree`: the configuration nodes of each module. State, RPCs and notifications are left
 * out, and whatever is below them.
 */
export function parseSchemaTree(text: string): ReadonlyMap<string, readonly SchemaNode[]> {
  const modules = new Map<string, SchemaNode[]>();
  let roots: SchemaNode[] = [];
  let open: Building[] = [];
  for (const line of text.split('\n')) {
    const module = /^module: (\S+)/.exec(line)?.[1];
    if (module !== undefined) {
      roots = [];
      open = [];
      modules.set(module, roots);
      continue;
    }
    const [, indent = '', flags, rest = ''] = NODE.exec(line) ?? [];
    if (flags === undefined) {
      // Everything below a node that is left out hangs in the air: it is dropped with it.
      if (line.includes('--')) open = open.filter(({ depth }) => depth < line.indexOf('--') - 1);
      continue;
    }
    const depth = indent.length;
    open = open.filter((each) => each.depth < depth);
    const parent = open.at(-1);
    // Top nodes stand at 2, their children 3 further in.
    if (depth !== (parent?.depth ?? -1) + 3) continue;
    const node = { ...nodeOf(flags, rest), children: [] };
    (parent?.node.children ?? roots).push(node);
    open.push({ depth, node });
  }
  return modules;
}

function nodeOf(flags: string, rest: string): Omit<SchemaNode, 'children'> {
  const [, choice, optional] = CHOICE.exec(rest) ?? [];
  if (choice !== undefined) {
    return { kind: flags === ':' ? 'case' : 'choice', name: choice, keys: [], isMandatory: optional === '' };
  }
  const [whole = '', name = rest, mark = '', keys] = DATA.exec(rest) ?? [];
  if (keys !== undefined) {
    return { kind: 'list', name, keys: keys.split(' ').filter((key) => key !== ''), isMandatory: false };
  }
  const isContainer = mark !== '*' && mark !== '?' && !/\s/.test(whole);
  if (isContainer) return { kind: 'container', name, keys: [], isMandatory: false };
  return { kind: mark === '*' ? 'leaf-list' : 'leaf', name, keys: [], isMandatory: mark === '' };
}
