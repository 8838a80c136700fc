import { DefaultRenderer, Listr, ListrLogger, PRESET_TIMER, ProcessOutput } from 'listr2';
import { printable } from '../display-width.ts';
import type { CliIo } from '../io.ts';
import { PHASES, type Standing } from './phases.ts';

/** Shows how a machine comes along, until it is closed. */
export interface Progress {
  standing(standing: Standing): void;
  /** Something besides, such as a server that does not answer. */
  say(text: string): void;
  /** Ends the display; with the reason if it did not go well. */
  close(failure: string | undefined): Promise<void>;
}

/** A display that is drawn anew on a terminal, lines on a pipe; both on standard error. */
export function openProgress(io: CliIo): Progress {
  return io.progress === undefined || io.env['TERM'] === 'dumb' ? lines(io) : drawn(io.progress);
}

function lines(io: CliIo): Progress {
  let last = '';
  let passed = 0;
  const say = (text: string): void => {
    if (text !== '' && text !== last) io.stderr(`${new Date(io.now()).toISOString().slice(11, 19)} ${text}\n`);
    last = text;
  };
  return {
    say,
    standing(standing) {
      say(standing.news);
      for (const { name } of PHASES.slice(passed, standing.passed)) say(`done: ${name}`);
      ({ passed } = standing);
    },
    close: async () => {},
  };
}

/** The display goes to standard error, and is one although standard output may be a pipe. */
class ProgressRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

function drawn(stream: NodeJS.WriteStream): Progress {
  const gates = PHASES.map(() => Promise.withResolvers<void>());
  // A phase that is never waited for, since one before it failed.
  for (const { promise } of gates) promise.catch(() => undefined);
  let news = '';
  let tell: ((text: string) => void) | undefined;
  const list = new Listr(
    PHASES.map(({ name }, index) => ({
      title: name,
      task: async (_context: unknown, task: { output: string }) => {
        tell = (text) => {
          task.output = text;
        };
        if (news !== '') tell(news);
        await gates[index]?.promise;
      },
    })),
    {
      renderer: ProgressRenderer,
      rendererOptions: {
        logger: new ListrLogger({
          useIcons: true,
          toStderr: [],
          processOutput: new ProcessOutput(stream, stream, { leaveEmptyLine: false }),
        }),
        collapseErrors: false,
        timer: PRESET_TIMER,
      },
      // Ctrl-C is ours: Listr would end the process.
      registerSignalListeners: false,
    },
  );
  const running = list.run().catch(() => undefined);
  const say = (text: string): void => {
    news = printable(text);
    tell?.(news);
  };
  return {
    say,
    standing(standing) {
      if (standing.news !== '') say(standing.news);
      for (const gate of gates.slice(0, standing.passed)) gate.resolve();
    },
    async close(failure) {
      // The command's own last words have the rest.
      const [reason = ''] = (failure ?? '').split('\n');
      for (const gate of gates) {
        if (failure === undefined) gate.resolve();
        else gate.reject(new Error(printable(reason)));
      }
      await running;
    },
  };
}
