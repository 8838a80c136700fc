/** A statement of YANG (RFC 7950, section 6.3). */
export interface Statement {
  readonly keyword: string;
  readonly argument: string;
  readonly children: readonly Statement[];
}

interface Building extends Statement {
  readonly children: Building[];
}

const TOKEN = /"((?:[^"\\]|\\.)*)"|([{};])|([^\s{};"]+)/gs;

/** Reads what `yanglint -f info` prints of a node; undefined when there is nothing to be understood. */
export function parseCompiledNode(text: string): Statement | undefined {
  const root: Building = { keyword: '', argument: '', children: [] };
  const open: Building[] = [root];
  let words: string[] = [];
  const take = (): Building => {
    const [keyword = '', ...argument] = words;
    const statement = { keyword, argument: argument.join(' '), children: [] };
    open.at(-1)?.children.push(statement);
    words = [];
    return statement;
  };
  for (const [, quoted, mark, bare] of text.matchAll(TOKEN)) {
    if (mark === '{') open.push(take());
    else if (mark === '}') open.pop();
    else if (mark === ';') take();
    else words.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/gs, unescape));
  }
  return root.children[0];
}

export function childrenOf(statement: Statement, keyword: string): readonly Statement[] {
  return statement.children.filter((child) => child.keyword === keyword);
}

/** RFC 7950, section 6.1.3. */
function unescape(_escaped: string, character: string): string {
  if (character === 'n') return '\n';
  return character === 't' ? '\t' : character;
}
