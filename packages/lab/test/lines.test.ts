import { expect, test } from 'vitest';
import { lineReader } from '../src/lines.ts';

function collect(...chunks: readonly string[]): readonly string[] {
  const lines: string[] = [];
  const read = lineReader((line) => lines.push(line));
  for (const chunk of chunks) read(Buffer.from(chunk));
  return lines;
}

test('a line that arrives in pieces is one line', () => {
  expect(collect('INGOT 1.0 in', 'it\r', '\nnext')).toEqual(['INGOT 1.0 init']);
});

test('what firmware draws its menus with is left out', () => {
  expect(collect('\u001B[2J\u001B[01;01HBooting\u001B[0m\n')).toEqual(['Booting']);
});

test('a console that never ends a line is cut, not kept for ever', () => {
  expect(collect('x'.repeat(20_000)).map((line) => line.length)).toEqual([20_000]);
});
