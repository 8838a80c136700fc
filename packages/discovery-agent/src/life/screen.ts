import type { BoardView } from './board.ts';

const home = '\u001b[H';
const clearLine = '\u001b[K';
const saveCursor = '\u001b7';
const restoreCursor = '\u001b8';
const scrollBelow = (row: number): string => `\u001b[${row};r`;

/** Rows that the screen takes; log lines scroll below it. */
export const screenRows = 14;
const defaultColumns = 80;

/**
 * The status screen in `screenRows` lines, no wider than the console. Text from outside has no control characters left.
 */
export function screenLines(view: BoardView, columns: number = defaultColumns): string[] {
  const head = `Ingot discovery ${view.version}${view.partition === '' ? '' : `, partition ${view.partition}`}`;
  const lines = [
    head,
    '',
    `machine   ${view.uuid || 'unknown yet'}`,
    `          ${[view.product, view.serial].filter((text) => text !== '').join(', serial ')}`,
    `network   ${view.addresses.join('  ') || 'no address yet'}`,
    `API       ${view.api || 'not asked yet'}`,
    `leaves    ${view.leaves.join('  ') || 'none heard yet'}`,
    `now       ${view.phase} ${view.words}`,
    ...(view.ssh === '' ? [] : [`SSH       ${view.ssh}`]),
    ...(view.waitsFor === '' ? [] : [`waits for ${view.waitsFor}`]),
    ...view.problems.map((problem) => `wrong     ${problem}`),
  ];
  const last = screenRows - 1;
  const fitting =
    lines.length > last ? [...lines.slice(0, last - 1), `          … and ${lines.length - last + 1} more`] : lines;
  const padded = [...fitting, ...Array.from({ length: last - fitting.length }, () => '')];
  return [...padded, '-'.repeat(columns)].map((line) => cut(line.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' '), columns));
}

/**
 * Redraws the screen in place: the top of the terminal is kept from scrolling, and the cursor comes back to the log. Done
 * each time from nothing, since whoever connects to a serial console has not seen what was before.
 */
export function drawing(view: BoardView, columns: number = defaultColumns): string {
  const body = screenLines(view, columns).map((line) => `${line}${clearLine}`);
  return `${saveCursor}${scrollBelow(screenRows + 1)}${home}${body.join('\r\n')}${restoreCursor}`;
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
