import type { RenderedConf } from './render.ts';

/** Names a line (from 1; 0 for none) and what is wrong with it. */
export type WordsOfLine = (line: number, reason: string) => string;

const MAX_TEXT = 120;

/** Speaks of lines of `frr.conf`, or, for lines of the operator's, of the file where they can be mended. */
export function lineWords(conf: RenderedConf): WordsOfLine {
  const lines = conf.text.split('\n');
  return (line, reason) => {
    const origin = conf.origin(line);
    const place = origin === undefined ? `frr.conf:${line}` : `${origin.path}:${origin.line}`;
    const text = lines[line - 1]?.trim().slice(0, MAX_TEXT);
    return `${place}: ${text === undefined ? '' : `"${text}": `}${reason}`;
  };
}
