import { type Clock, systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { CliError, CliErrorCode } from '../../src/errors.ts';
import type { CliIo } from '../../src/io.ts';
import { type ListFlags, type ListView, showList } from '../../src/list/list.ts';
import { Tone } from '../../src/style.ts';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly age: number;
}

const VIEW: ListView<Row> = {
  fields: ['id', 'state'],
  columns: () => [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'STATE', cell: ({ state }) => state, tone: ({ state }) => (state === 'dead' ? Tone.Bad : undefined) },
    { title: 'AGE', cell: ({ age }) => `${age}s`, passing: true },
  ],
  json: ({ id, state }) => ({ id, state }),
  key: ({ id }) => id,
};

const row = (id: string, state: string, age = 1): Row => ({ id, state, age });
const away = new CliError(CliErrorCode.Unreachable, 'https://api cannot be reached: refused\nIs it up?');

interface Seen {
  stdout: string;
  stderr: string;
  screen: string;
  pausesMs: number[];
  error: unknown;
}

/** Watches what these looks give, and presses Ctrl-C after the last one. */
async function watch(
  looks: readonly (readonly Row[] | CliError)[],
  flags: Partial<ListFlags> = {},
  terminal?: { readonly rows: number; readonly env?: Readonly<Record<string, string>> },
): Promise<Seen> {
  const seen: Seen = { stdout: '', stderr: '', screen: '', pausesMs: [], error: undefined };
  const left = [...looks];
  let press = (): void => {};
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms, signal) => {
      seen.pausesMs.push(ms);
      if (left.length === 0) press();
      signal?.throwIfAborted();
    },
  };
  const io: CliIo = {
    stdout: (text) => void (seen.stdout += text),
    stderr: (text) => void (seen.stderr += text),
    env: terminal?.env ?? {},
    home: '/nonexistent',
    labConfigFile: '/nonexistent',
    now: () => Date.UTC(2026, 0, 15, 12, 0, seen.pausesMs.length),
    clock,
    onInterrupt: (stop) => {
      press = stop;
      return { [Symbol.dispose]: () => void (press = () => {}) };
    },
    ...(terminal === undefined
      ? {}
      : { screen: { draw: (text: string) => void (seen.screen += text), rows: () => terminal.rows } }),
  };
  const all: ListFlags = { output: 'table', headers: true, watch: true, interval: 5, ...flags };
  try {
    await showList(all, io, VIEW, () => {
      const next = left.shift();
      return next instanceof CliError ? Promise.reject(next) : Promise.resolve(next ?? []);
    });
  } catch (error) {
    seen.error = error;
  }
  return seen;
}

test('on a pipe the list is printed once, and then what is new, has changed and is gone', async () => {
  const seen = await watch([
    [row('a', 'alive'), row('b', 'alive')],
    // Only time has passed.
    [row('a', 'alive', 6), row('b', 'alive', 6)],
    [row('a', 'dead'), row('b', 'alive'), row('machine-c', 'new')],
    [row('b', 'alive'), row('machine-c', 'new')],
  ]);
  expect(seen.stdout).toBe(
    [
      'AT         CHANGE   ID   STATE   AGE',
      '12:00:00   there    a    alive   1s',
      '12:00:00   there    b    alive   1s',
      '12:00:02   changed   a           dead    1s',
      '12:00:02   new       machine-c   new     1s',
      '12:00:03   gone      a           dead    1s',
      '',
    ].join('\n'),
  );
  expect(seen.pausesMs).toEqual([5000, 5000, 5000, 5000]);
  expect(seen.error).toMatchObject({ code: CliErrorCode.Interrupted, exit: 130, message: '' });
});

test('as JSON each change is a line, as YAML a document, by a template a row', async () => {
  const looks = [[row('a', 'alive')], [row('a', 'dead')]];
  const json = await watch(looks, { output: 'json' });
  expect(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { at: '2026-01-15T12:00:00.000Z', change: 'there', item: { id: 'a', state: 'alive' } },
    { at: '2026-01-15T12:00:01.000Z', change: 'changed', item: { id: 'a', state: 'dead' } },
  ]);
  expect((await watch(looks, { output: 'yaml' })).stdout).toMatch(/^---\nat: .*\nchange: there\n/);
  const template = { output: 'template', template: '{{ .id }}={{ .state }}' } as const;
  expect((await watch(looks, template)).stdout).toBe('a=alive\na=dead\n');
});

test('a server that is away is said once, waited for, and said to be back', async () => {
  const seen = await watch([[row('a', 'alive')], away, away, [row('a', 'dead')]]);
  expect(seen.stderr).toBe(
    'ingot: 12:00:01 https://api cannot be reached: refused; asking again every 5s\n' +
      'ingot: 12:00:03 the server answers again\n',
  );
  expect(seen.stdout).toContain('12:00:03   changed   a');
});

test('a server that was never there, and a token that is refused, end it', async () => {
  expect((await watch([away])).error).toBe(away);
  const denied = new CliError(CliErrorCode.Denied, 'no');
  expect((await watch([[row('a', 'alive')], denied, [row('a', 'dead')]])).error).toBe(denied);
});

test('on a terminal the list is drawn anew, in colours, and no longer than the window', async () => {
  const many = Array.from({ length: 20 }, (_value, index) => row(`m${index}`, 'alive'));
  const seen = await watch([[row('a', 'dead')], many, away], {}, { rows: 8 });
  expect(seen.stdout).toBe('');
  const [first = '', second = '', third = ''] = seen.screen.split('\u001B[H').slice(1);
  expect(first).toContain('a    \u001B[31mdead\u001B[39m    1s');
  expect(first).toContain('every 5s; Ctrl-C ends it');
  expect(second.split('\n')).toHaveLength(8);
  expect(second).toContain('… 16 more lines');
  expect(third).toContain('cannot be reached: refused; what is above is old');
  // Lines are cut while it runs, and wrapped again afterwards.
  expect(seen.screen.startsWith('\u001B[?7l')).toBe(true);
  expect(seen.screen.endsWith('\u001B[?7h\n')).toBe(true);
});

test('a list that is not watched is coloured on a terminal only', async () => {
  const once = { watch: false } as const;
  expect((await watch([[row('a', 'dead')]], once, { rows: 8 })).screen).toBe(
    'ID   STATE   AGE\na    \u001B[31mdead\u001B[39m    1s\n',
  );
  const plain = 'ID   STATE   AGE\na    dead    1s\n';
  expect((await watch([[row('a', 'dead')]], once, { rows: 8, env: { NO_COLOR: '1' } })).screen).toBe(plain);
  expect((await watch([[row('a', 'dead')]], once)).stdout).toBe(plain);
});

test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('there are no colours with %j', async (env) => {
  const seen = await watch([[row('a', 'dead')]], {}, { rows: 8, env });
  expect(seen.screen).toContain('a    dead    1s');
});

test('what a row says cannot move the cursor', async () => {
  const hostile = [[row('a', '\u001B[2Jx\u009B31m')]];
  for (const output of ['table', 'json', 'yaml'] as const)
    expect((await watch(hostile, { output })).stdout).toMatch(/^(?:\n|[^\p{Cc}])+$/u);
  expect((await watch(hostile, {}, { rows: 8 })).screen).not.toContain('\u001B[2Jx');
});
