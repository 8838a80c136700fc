/** The text from a heading, whatever its depth, to the next one that is not below it; throws without such a heading. */
export function section(markdown: string, heading: string): string {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const depth = (line: string): number => /^#*/.exec(line)?.[0].length ?? 0;
  const length = lines
    .slice(start + 1)
    .findIndex((line) => /^#+ /.test(line) && depth(line) <= depth(lines[start] ?? ''));
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** Cells of all rows of all tables, without their heads. */
export function tableRows(markdown: string): string[][] {
  const lines = markdown.split('\n');
  return lines.flatMap((line, index) => {
    const isHead = /^\|[\s|:-]+\|$/.test(lines[index + 1] ?? '');
    if (!line.startsWith('|') || isHead || /^\|[\s|:-]+\|$/.test(line)) return [];
    return [
      line
        .replace(/^\||\|\s*$/g, '')
        .split('|')
        .map((cell) => cell.trim()),
    ];
  });
}

export function codeSpans(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}
