import type { Clock } from '@ingot/net';
import type { LogSink } from '../log/log-sinks.ts';
import type { Secret } from '../secret.ts';
import type { Board } from './board.ts';
import type { Phase, State } from './state.ts';

/** Tells people and programs what the agent does: console lines, and the same as JSON in the log. */
export interface Reporter {
  /** Enters a phase: it is what a crash from now on is reported with. */
  enter(phase: Phase, words: string): void;
  /** Says something within a phase that need not be the current one. */
  say(phase: Phase, words: string): void;
  /** To the log only. */
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Gives the console's lines to `sink` as well, from now on; call the result to end that. */
  readonly addSink: (sink: LogSink) => () => void;
  /** From now on this is left out of whatever is said: an error's text may come from whoever was sent it. */
  conceal(secret: Secret): void;
  /** `text` without what is concealed. */
  scrub(text: string): string;
  readonly phase: Phase;
}

/** A token and what comes with it, of a few renewals. */
const maxConcealed = 32;

export interface ReporterOptions {
  readonly clock: Clock;
  readonly state: Pick<State, 'setPhase' | 'log'>;
  readonly board: Pick<Board, 'show'>;
  /** Seconds since power-on. */
  readonly uptime: () => number;
  /** A line for the serial console. */
  readonly write: (line: string) => void;
}

/**
 * Console lines are `INGOT <uptime in seconds> <phase> <words>`, a stable format that harnesses read. Words come
 * from the network, too (an API's error text): control characters never reach the terminal.
 */
export function createReporter({ clock, state, board, uptime, write }: ReporterOptions): Reporter {
  let current: Phase = 'agent';
  const sinks = new Set<LogSink>();
  const concealed: Secret[] = [];
  const scrub = (text: string): string =>
    concealed.reduce((rest, secret) => rest.replaceAll(secret.reveal(), String(secret)), text);
  const log = (level: string, fields: Readonly<Record<string, unknown>>): void => {
    state.log(
      scrub(JSON.stringify({ level, time: new Date(clock.now()).toISOString(), part: 'discovery-agent', ...fields })),
    );
  };
  const say = (phase: Phase, words: string): void => {
    const level = phase === 'crashed' ? 'error' : 'info';
    const shown = printable(scrub(words));
    write(`INGOT ${uptime().toFixed(2)} ${phase} ${shown}`);
    log(level, { phase, msg: words });
    for (const sink of sinks) sink({ timeMs: clock.now(), level, phase, words: shown });
  };
  return {
    get phase() {
      return current;
    },
    enter(phase, words) {
      current = phase;
      state.setPhase(phase);
      board.show({ phase, words: scrub(words) });
      say(phase, words);
    },
    say,
    scrub,
    conceal(secret) {
      if (secret.reveal() === '') return;
      concealed.push(secret);
      if (concealed.length > maxConcealed) concealed.shift();
    },
    addSink: (sink) => {
      sinks.add(sink);
      return () => void sinks.delete(sink);
    },
    note: (message, fields = {}) => log('info', { phase: current, msg: message, ...fields }),
  };
}

function printable(words: string): string {
  return words.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ');
}
