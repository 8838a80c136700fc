import { mockEntropy } from '@ingot/net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnName, parseSortBy, sortRows } from '../../src/list/sort.ts';
import { startApi, type TestApi } from '../api-kit.ts';

interface Row {
  readonly id: string;
  readonly rack: string;
  readonly when: string;
}

const COLUMNS = [
  { title: 'ID', cell: ({ id }: Row) => id },
  { title: '', cell: () => '!' },
  { title: 'RACK', cell: ({ rack }: Row) => rack },
  { title: 'LAST EVENT', cell: ({ when }: Row) => when },
  { title: 'LAST ERROR', cell: () => '' },
  { title: 'LOCK/RESERVE', cell: () => '' },
];
const row = (id: string, rack = '', when = ''): Row => ({ id, rack, when });
const sorted = (by: string, rows: readonly Row[]): readonly string[] =>
  sortRows(rows, parseSortBy(by), COLUMNS).map(({ id }) => id);

describe('rows are sorted', () => {
  const cells: readonly (readonly [string, readonly string[]])[] = [
    ['as a person would', ['ähre', 'leaf1', 'leaf2', 'leaf10', 'Leaf11', 'zoo']],
    ['by the length of time', ['0s', '180ms', '59s', '1m', '1m 1s', '59m 59s', '1h', '23h 59m', '1d', '1d 1h', '10d']],
    ['by the length of time that is shown as a bound', ['< 2s', '< 10s', '< 1m']],
    ['by the number', ['0', '7', '10', '100', '1000']],
    ['by the number in front', ['2/64', '10/64', '64/64']],
    ['as words when only some are lengths of time', ['1m', '2s', 'never']],
  ];
  test.each(cells)('%s', (_name, expected) => {
    const entropy = mockEntropy(7);
    for (let round = 0; round < 20; round += 1) {
      const mixed = expected
        .map((cell, index) => ({ cell, index, at: entropy.bytes(2).join('.') }))
        .toSorted((a, b) => (a.at < b.at ? -1 : 1));
      const rows = mixed.map(({ cell, index }) => row(String(index), '', cell));
      const ids = expected.map((_cell, index) => String(index));
      expect(sorted('last-event', rows)).toEqual(ids);
      expect(sorted('last-event:desc', rows)).toEqual(ids.toReversed());
    }
  });

  test('by several columns, the first of which counts most, and stay as they were where all are equal', () => {
    const rows = [row('d', 'r10', '1m'), row('b', 'r2', '1m'), row('c', 'r2', '5s'), row('a', 'r10', '1m')];
    expect(sorted('rack,last-event', rows)).toEqual(['c', 'b', 'd', 'a']);
    expect(sorted('rack:desc,last-event', rows)).toEqual(['d', 'a', 'c', 'b']);
    expect(sorted('last-event:desc , rack:asc', rows)).toEqual(['b', 'd', 'a', 'c']);
    expect(sorted('rack', rows)).toEqual(['b', 'c', 'd', 'a']);
  });

  test('last where there is nothing to sort by, in either direction', () => {
    const rows = [row('a'), row('b', 'r2'), row('c'), row('d', 'r1')];
    expect(sorted('rack', rows)).toEqual(['d', 'b', 'a', 'c']);
    expect(sorted('rack:desc', rows)).toEqual(['b', 'd', 'a', 'c']);
  });

  // Every list of up to four rows of three values: nothing is lost, and each is where it belongs among its neighbours.
  test('without losing one, and the same again when they are sorted', () => {
    const values = ['', '2', '10'];
    for (let length = 0; length <= 4; length += 1)
      for (let code = 0; code < values.length ** length; code += 1) {
        const rows = Array.from({ length }, (_, n) =>
          row(String(n), values[Math.floor(code / values.length ** n) % values.length] ?? ''),
        );
        for (const by of ['rack', 'rack:desc']) {
          const ids = sorted(by, rows);
          expect(ids.toSorted()).toEqual(rows.map(({ id }) => id));
          const again = ids.flatMap((id) => rows.filter((one) => one.id === id));
          expect(sorted(by, again)).toEqual(ids);
          const ranks = again.map(({ rack }) => values.slice(1).indexOf(rack));
          const known = ranks.filter((rank) => rank >= 0);
          expect(known).toEqual(known.toSorted((a, b) => (by === 'rack' ? a - b : b - a)));
          expect(ranks.slice(known.length).every((rank) => rank === -1)).toBe(true);
        }
      }
  });
});

describe('a column', () => {
  test.each([
    ['LAST EVENT', 'last-event'],
    ['LOCK/RESERVE', 'lock-reserve'],
    ['ID', 'id'],
    ['', ''],
  ])('%s is called %s', (title, name) => expect(columnName(title)).toBe(name));

  test('is found by a word that no other has', () => {
    const rows = [row('a', '', '2s'), row('b', '', '1s')];
    expect(sorted('event', rows)).toEqual(['b', 'a']);
    expect(sorted('EVENT:DESC', rows)).toEqual(['a', 'b']);
    expect(() => sorted('last', rows)).toThrow('there is no column "last" to sort by; there are id, rack, last-event');
    expect(() => sorted('nope', [])).toThrow('there is no column "nope"');
  });

  test.each(['', ',', 'rack,', 'rack:up', 'rack desc', 'rack:asc:desc', '$(id)'])('is not written %j', (text) =>
    expect(() => parseSortBy(text)).toThrow('Write columns with commas between them'),
  );
});

describe('ingot ls --sort-by', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());
  const ids = (text: string): readonly string[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(/\s+/)[0] ?? '');

  test('sorts tables, and JSON alike, also by what is only shown wide', async () => {
    const up = ids((await api.run('machine', 'ls', '--no-headers', '--sort-by', 'id')).stdout);
    const down = ids((await api.run('machine', 'ls', '--no-headers', '--sort-by=id:desc')).stdout);
    expect(up.length).toBeGreaterThan(1);
    expect(down).toEqual(up.toReversed());
    const json: unknown = JSON.parse((await api.run('machine', 'ls', '-o', 'json', '--sort-by', 'id:desc')).stdout);
    expect(json).toMatchObject(down.map((uuid) => ({ uuid })));
    const wide = await api.run('machine', 'ls', '--no-headers', '--sort-by', 'liveliness', '--sort-by', 'id:desc');
    expect(wide.status).toBe(0);
    expect(ids(wide.stdout).toSorted()).toEqual(up.toSorted());
  });

  test('says which columns there are', async () => {
    const wrong = await api.run('switch', 'ls', '--sort-by', 'colour');
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^ingot: there is no column "colour" to sort by; there are id, partition, rack, os/);
    expect((await api.run('switch', 'ls', '--sort-by', 'id:up')).stderr).toContain("option '--sort-by <columns>'");
    expect((await api.run('switch', 'ls', '--help')).stdout).toContain('--sort-by <columns>');
  });
});
