import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { Board } from '../src/life/board.ts';
import { startScreen } from '../src/life/console-screen.ts';
import { drawing, screenLines, screenRows } from '../src/life/screen.ts';
import { openSysfs } from '../src/sysfs.ts';
import { plant } from './tree.ts';

function filled(): Board {
  const board = new Board(() => ['eth0 10.0.0.5', 'eth1 fd00::5']);
  board.show({
    version: '0.1.0',
    uuid: '4c4c4544-0042-3510-8052-b4c04f4e3332',
    serial: 'S432871',
    product: 'Supermicro AS-1115HS',
    partition: 'lab',
    phase: 'register',
    words: 'as 4c4c4544',
    api: 'https://10.0.0.1:9443',
    leaves: ['eth0 leaf1 Eth1/1', 'eth1 leaf2 Eth1/1'],
    waitsFor: 'what the API asks for',
  });
  board.problem('registration', 'wrong rack');
  return board;
}

test('it says who the machine is, what it does, what is wrong and what it waits for', () => {
  expect(screenLines(filled().view(), 60).map((line) => line.trimEnd())).toEqual([
    'Ingot discovery 0.1.0, partition lab',
    '',
    'machine   4c4c4544-0042-3510-8052-b4c04f4e3332',
    '          Supermicro AS-1115HS, serial S432871',
    'network   eth0 10.0.0.5  eth1 fd00::5',
    'API       https://10.0.0.1:9443',
    'leaves    eth0 leaf1 Eth1/1  eth1 leaf2 Eth1/1',
    'now       register as 4c4c4544',
    'waits for what the API asks for',
    'wrong     registration: wrong rack',
    '',
    '',
    '',
    '-'.repeat(60),
  ]);
});

test('it says that SSH is open', () => {
  const board = filled();
  expect(screenLines(board.view()).join('\n')).not.toContain('SSH');
  board.show({ ssh: 'open to the debug key of this boot' });
  expect(screenLines(board.view())).toContain('SSH       open to the debug key of this boot');
});

test('it is never larger than its place, and texts from outside move no cursor', () => {
  const board = filled();
  for (let part = 0; part < 30; part++) board.problem(`part ${part}`, `\u001b[2J${'x'.repeat(500)}\n\r`);
  const lines = screenLines(board.view(), 80);
  expect(lines).toHaveLength(screenRows);
  for (const line of lines) {
    expect(line.length).toBeLessThanOrEqual(80);
    expect(line).toBe(stripVTControlCharacters(line));
  }
  expect(lines.at(-2)).toMatch(/… and \d+ more$/);
});

test('it is drawn in place: the cursor of the log comes back, and the log scrolls below', () => {
  const drawn = drawing(filled().view());
  expect(drawn.startsWith(`\u001b7\u001b[${screenRows + 1};r\u001b[H`)).toBe(true);
  expect(drawn.endsWith('\u001b8')).toBe(true);
  expect(drawn.match(/\r\n/g)).toHaveLength(screenRows - 1);
});

test('it is on screens only, unless the policy says otherwise, and again when something changes', async () => {
  using machine = plant({ '/sys/class/tty/console/active': 'tty0 ttyS1\n', '/dev/tty0': '', '/dev/ttyS1': '' });
  const shown = (name: string): string => readFileSync(join(machine.root, 'dev', name), 'utf8');
  const clock = new MockClock();
  const board = filled();
  const screen = startScreen({
    sysfs: openSysfs(machine.root),
    clock,
    board,
    scrub: (text) => text.replaceAll('S432871', '[secret]'),
  });
  await clock.advance(5_000);
  expect([shown('tty0'), shown('ttyS1')]).toEqual([drawing(board.view()).replace('S432871', '[secret]'), '']);
  board.show({ phase: 'waiting', screen: 'all' });
  await clock.advance(1_000);
  // Each drawing is a write of its own from the file's beginning, as terminals have no position.
  expect(shown('tty0')).toContain('now       waiting');
  expect(shown('ttyS1')).toContain('now       waiting');
  board.show({ phase: 'register', screen: 'off' });
  await clock.advance(70_000);
  expect(shown('tty0')).toContain('now       waiting');
  screen.stop();
  expect(clock.pendingTimers).toBe(0);
});
