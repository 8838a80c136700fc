import { systemClock } from '@ingot/net';
import { printableLines } from '../display-width.ts';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo, CliScreen } from '../io.ts';
import { whileRead } from '../interrupt.ts';
import { outputPaint } from '../style.ts';
import { renderTable } from '../table.ts';
import { durationText } from '../time-text.ts';
import type { Template } from '../template/template.ts';
import { changePrinter } from './changes.ts';
import type { ListFlags, ListView } from './list.ts';

interface Watch<Row> {
  readonly flags: ListFlags;
  readonly io: CliIo;
  readonly view: ListView<Row>;
  readonly template: Template | undefined;
  readonly fetch: () => Promise<readonly Row[]>;
}

/**
 * Shows a list again and again until Ctrl-C: drawn anew on a terminal, as changes on a pipe. When the server is away it
 * says so and goes on; what would not get better by waiting ends it. Throws CliError.
 */
export async function watchList<Row>(watch: Watch<Row>): Promise<void> {
  const { flags, io, fetch } = watch;
  const clock = io.clock ?? systemClock;
  const intervalMs = flags.interval * 1000;
  const draws = watch.template === undefined && (flags.output === 'table' || flags.output === 'wide');
  const onScreen = draws && io.screen !== undefined;
  const show = onScreen ? screenPrinter(watch, io.screen) : changePrinter(watch);
  await whileRead(io, async (signal) => {
    let away: string | undefined;
    let first = true;
    try {
      while (!signal.aborted) {
        try {
          const rows = await fetch();
          if (signal.aborted) break;
          if (away !== undefined && !onScreen) io.stderr(`ingot: ${timeOf(io)} the server answers again\n`);
          away = undefined;
          show.rows(rows);
        } catch (error) {
          if (first || !mayPass(error)) throw error;
          const news = error.message.split('\n')[0] ?? '';
          if (onScreen) show.away(news);
          else if (away === undefined)
            io.stderr(`ingot: ${timeOf(io)} ${news}; asking again every ${durationText(intervalMs)}\n`);
          away = news;
        }
        first = false;
        await clock.sleep(intervalMs, signal);
      }
    } finally {
      show.end();
    }
  });
}

/** Whether it may go away by itself. */
function mayPass(error: unknown): error is CliError {
  return error instanceof CliError && (error.code === CliErrorCode.Unreachable || error.code === CliErrorCode.Api);
}

interface Printer<Row> {
  rows(rows: readonly Row[]): void;
  away(news: string): void;
  end(): void;
}

// The terminal cuts long lines off while the list is drawn: a wrapped line would push the others down.
const BEGIN = '\u001B[?7l\u001B[2J';
const HOME = '\u001B[H';
const END_OF_LINE = '\u001B[K\n';
const CLEAR_BELOW = '\u001B[J';
const END = '\u001B[?7h\n';

function screenPrinter<Row>({ flags, io, view }: Watch<Row>, screen: CliScreen): Printer<Row> {
  const paint = outputPaint(io);
  let lines: readonly string[] = [];
  let begun = false;
  const draw = (foot: string): void => {
    // The last two lines are the foot and the cursor's.
    const room = Math.max(1, screen.rows() - 2);
    const shown =
      lines.length > room ? [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`] : lines;
    screen.draw(
      `${begun ? '' : BEGIN}${HOME}${[...shown, foot].map((line) => line + END_OF_LINE).join('')}${CLEAR_BELOW}`,
    );
    begun = true;
  };
  return {
    rows(rows) {
      const options = { wide: flags.output === 'wide', headers: flags.headers, paint };
      lines = renderTable(view.columns(io.now()), rows, options).split('\n').slice(0, -1);
      draw(paint(`${timeOf(io)}, every ${durationText(flags.interval * 1000)}; Ctrl-C ends it`, 'faint'));
    },
    away: (news) => draw(paint(`${timeOf(io)} ${printableLines(news)}; what is above is old`, 'bad')),
    end: () => screen.draw(begun ? END : ''),
  };
}

function timeOf(io: CliIo): string {
  return new Date(io.now()).toISOString().slice(11, 19);
}
