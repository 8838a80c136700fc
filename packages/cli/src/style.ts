import { styleText } from 'node:util';
import type { CliIo } from './io.ts';

/** How much something matters to an operator. */
export const Tone = { Good: 'good', Warn: 'warn', Bad: 'bad', Faint: 'faint' } as const;
export type Tone = (typeof Tone)[keyof typeof Tone];

const FORMATS = { good: 'green', warn: 'yellow', bad: 'red', faint: 'dim' } as const;

/** Colours a text, or leaves it alone. */
export type Paint = (text: string, tone: Tone) => string;

const plain: Paint = (text) => text;
const coloured: Paint = (text, tone) => styleText(FORMATS[tone], text, { validateStream: false });

/** Whether colours are wanted, by https://no-color.org and by what the terminal says of itself. */
function wantsColour(env: CliIo['env']): boolean {
  return (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** How to paint on standard output: in colours on a terminal only. */
export function outputPaint(io: CliIo): Paint {
  return io.screen !== undefined && wantsColour(io.env) ? coloured : plain;
}
