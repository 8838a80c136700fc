import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@ingot/net';
import type { Sysfs } from '../sysfs.ts';
import type { Board } from './board.ts';
import { drawing } from './screen.ts';

export interface ConsoleScreenParts {
  readonly sysfs: Sysfs;
  readonly clock: Clock;
  readonly board: Board;
  /** Leaves out secrets. */
  readonly scrub: (text: string) => string;
}

const lookEveryMs = 1_000;
/** A serial console of 115200 baud takes a tenth of a second for a screen: seldom, and only when it changed. */
const serialEveryMs = 10_000;
/** Whoever connects to a console sees the screen within this time. */
const redrawEveryMs = 60_000;

/** Draws the board on the machine's consoles, as its policy says, whenever it has changed. */
export function startScreen({ sysfs, clock, board, scrub }: ConsoleScreenParts): { stop(): void } {
  const drawn = new Map<string, { readonly text: string; readonly atMs: number }>();
  const look = (): void => {
    const view = board.view();
    const text = scrub(drawing(view));
    for (const name of consolesFor(sysfs, view.screen)) {
      const last = drawn.get(name);
      const nowMs = clock.monotonic();
      const sinceMs = nowMs - (last?.atMs ?? Number.NEGATIVE_INFINITY);
      const everyMs = isScreen(name) ? lookEveryMs : serialEveryMs;
      if (sinceMs < everyMs || (last?.text === text && sinceMs < redrawEveryMs)) continue;
      drawn.set(name, { text, atMs: nowMs });
      write(join(sysfs.root, '/dev', name), text);
    }
  };
  look();
  const timer = clock.setInterval(look, lookEveryMs);
  return { stop: () => timer.cancel() };
}

const isScreen = (name: string): boolean => /^tty\d+$/.test(name);

function consolesFor(sysfs: Sysfs, screen: 'vt' | 'all' | 'off'): string[] {
  if (screen === 'off') return [];
  const active = (sysfs.text('/sys/class/tty/console/active') ?? '').split(/\s+/).filter((name) => /^\w+$/.test(name));
  return screen === 'all' ? active : active.filter(isScreen);
}

/** A terminal that takes nothing, for nobody is there or it is stopped, must not hold the agent up. */
function write(path: string, text: string): void {
  try {
    const terminal = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      writeSync(terminal, text);
    } finally {
      closeSync(terminal);
    }
  } catch {
    // The log has it all.
  }
}
