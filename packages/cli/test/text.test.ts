import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { displayWidth, printable } from '../src/display-width.ts';
import { nearNames } from '../src/near-names.ts';
import { formatJson, formatJsonLine } from '../src/output.ts';
import { renderTable } from '../src/table.ts';
import { durationText } from '../src/time-text.ts';
import { ingotVersion } from '../src/version.ts';

test.each([
  ['', 0],
  ['leaf01', 6],
  ['\u{1F512}', 2],
  ['\u{1F6E1}\uFE0F', 2],
  ['Zürich', 6],
  ['Zu\u0308rich', 6],
  ['機架', 4],
])('%j is %i columns wide', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test('columns stay aligned below wide characters, and lines end without blanks', () => {
  const columns = [
    { title: 'A', cell: (row: readonly string[]) => row[0] ?? '' },
    { title: 'B', cell: (row: readonly string[]) => row[1] ?? '' },
    { title: 'C', cell: (row: readonly string[]) => row[2] ?? '', wide: true },
  ];
  const rows = [
    ['\u{1F512}', 'x', '1'],
    ['', '', ''],
    ['機架', 'y', '2'],
  ];
  expect(renderTable(columns, rows, { wide: false, headers: true })).toBe('A      B\n\u{1F512}     x\n\n機架   y\n');
  expect(renderTable(columns, rows, { wide: true, headers: false })).toBe('\u{1F512}     x   1\n\n機架   y   2\n');
});

test('control characters and marks that turn text around are replaced', () => {
  expect(printable('a\u001B[31mb\n\u202Ec')).toBe('a\uFFFD[31mb\uFFFD\uFFFDc');
});

test.each([
  [-5, '0s'],
  [999, '0s'],
  [12_000, '12s'],
  [192_000, '3m 12s'],
  [3_600_000, '1h'],
  [273_600_000, '3d 4h'],
  [86_400_000 + 59_000, '1d'],
])('%i ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('near names are those that begin so, then those with few mistakes', () => {
  expect(nearNames('leef1', ['leaf1', 'leaf10', 'spine1', 'lea'])).toEqual(['leaf1']);
  expect(nearNames('leaf', ['spine1', 'leaf2', 'leaf10'])).toEqual(['leaf10', 'leaf2']);
  expect(nearNames('', ['leaf2'])).toEqual([]);
});

test('the version is that of the package', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: ingotVersion });
});

test('a table may have more rows than a call can have arguments', () => {
  const rows = Array.from({ length: 200_000 }, (_value, index) => `machine ${index}`);
  const text = renderTable([{ title: 'A', cell: (row: string) => row }], rows, { wide: false, headers: false });
  expect(text.length).toBeGreaterThan(rows.length * 10);
});

test('JSON and YAML say the same with control characters escaped, in names too', () => {
  const hostile = 'a\u001B[2Jb\u009B31m\u007F\u202Ec\r\n\td\u2028e "quoted" \\ ok';
  const value = { [hostile]: [hostile, 'plain', `two\nlines`, '', ' ', '{{ x }}'], number: 5, nothing: null };
  for (const format of ['json', 'yaml'] as const) {
    const text = formatJson(value, format);
    expect(text).toMatch(/^(?:\n|[^\p{Cc}\p{Cf}\u2028])+$/u);
    expect(parse(text)).toEqual(value);
  }
  expect(JSON.parse(formatJsonLine(value))).toEqual(value);
});
