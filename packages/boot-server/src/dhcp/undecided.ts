import type { Clock, Timer } from '@ingot/net';
import { wordsOf } from '../error-words.ts';
import { keepNewest } from '../limits/keep-newest.ts';
import type { BootDecision } from '../decide/decision.ts';
import { isSameQuestion, type DecideBoot } from './boot-question.ts';
import type { DhcpQuestion } from './outcome.ts';

/** What a machine gets when nothing was decided in time: what it got the last time, or silence until it asks again. */
export type WhenUndecided = 'lastKnown' | 'ignore';

/** A question that found no answer. `superseded`: the machine has since asked something else. */
export type UndecidedReason = 'undecided' | 'overloaded' | 'superseded';

export interface Undecided<Asker> {
  /**
   * The decision, if it is there at once. Else undefined, and `onDecided` or `onGivenUp` follows: for the newest
   * packet of each machine only, since a machine that repeats its question waits for one answer.
   */
  ask(question: DhcpQuestion, asker: Asker): BootDecision | undefined;
  /** Forgets all questions; nothing is called any more. */
  stop(): void;
  /** Questions under way. */
  readonly size: number;
}

/** Firmware asks again after 4 s, iPXE after 1 s at first: later than this an answer meets the next question. */
export const DECISION_DEADLINE_MS = 1_500;
/** A row of racks powering on. Beyond it the oldest go: they are the nearest to asking again. */
const MAX_UNDECIDED = 4_096;
/** A source that failed as long ago may fail for another reason now. */
const RECENT_MS = 60_000;
/** Last decisions, by machine and boot stage. */
const MAX_REMEMBERED = 16_384;

interface Waiting<Asker> {
  readonly mac: string;
  /** Undefined when it waits no more: a table that has grown old keeps what was in it alive for a while. */
  asked: { readonly question: DhcpQuestion; readonly asker: Asker } | undefined;
  readonly until: number;
}

/** Waits for decisions without making other machines wait: one slow source costs one table entry a machine. */
export function undecidedTable<Asker>(components: {
  clock: Clock;
  decide: DecideBoot;
  whenUndecided: WhenUndecided;
  onDecided: (question: DhcpQuestion, asker: Asker, decision: BootDecision) => void;
  /** `why`: what a source said, as far as it is known. */
  onGivenUp: (question: DhcpQuestion, asker: Asker, reason: UndecidedReason, why: string) => void;
}): Undecided<Asker> {
  const { clock, decide, whenUndecided, onDecided, onGivenUp } = components;
  /** By MAC, the longest waiting first. */
  const waiting = new Map<string, Waiting<Asker>>();
  const lastKnown = new Map<string, BootDecision>();
  let timer: Timer | undefined;
  let stopped = false;
  /** Why the last decision that failed did: a source that is too slow says so after the machine was given up. */
  let lastFailure: { readonly words: string; readonly at: number } | undefined;

  const stageOf = ({ question }: DhcpQuestion): string =>
    `${question.mac} ${question.vendorClass ?? ''} ${question.userClasses.join()}`;
  const remember = (question: DhcpQuestion, decision: BootDecision): void => {
    if (whenUndecided !== 'lastKnown') return;
    keepNewest(lastKnown, stageOf(question), decision, MAX_REMEMBERED);
  };
  const why = (reason: UndecidedReason): string => {
    if (reason !== 'undecided')
      return reason === 'overloaded' ? 'too many machines wait' : 'it asks something else now';
    if (lastFailure === undefined || clock.monotonic() - lastFailure.at > RECENT_MS)
      return 'nothing was decided in time';
    return `nothing was decided in time; a question before: ${lastFailure.words}`;
  };
  const giveUp = (entry: Waiting<Asker>, reason: UndecidedReason, failure?: string): void => {
    const asked = take(entry);
    if (asked === undefined) return;
    const before = whenUndecided === 'lastKnown' ? lastKnown.get(stageOf(asked.question)) : undefined;
    if (before !== undefined && reason !== 'superseded') onDecided(asked.question, asked.asker, before);
    else onGivenUp(asked.question, asked.asker, reason, failure ?? why(reason));
  };
  const take = (entry: Waiting<Asker>): Waiting<Asker>['asked'] => {
    const { asked } = entry;
    if (waiting.get(entry.mac) === entry) waiting.delete(entry.mac);
    entry.asked = undefined;
    return asked;
  };
  const watch = (): void => {
    if (timer !== undefined || stopped) return;
    for (const { until } of waiting.values()) {
      timer = clock.setTimeout(
        () => {
          timer = undefined;
          const now = clock.monotonic();
          for (const entry of waiting.values()) {
            if (entry.until > now) break;
            giveUp(entry, 'undecided');
          }
          watch();
        },
        Math.max(1, until - clock.monotonic()),
      );
      return;
    }
  };

  return {
    get size() {
      return waiting.size;
    },
    ask: (question, asker) => {
      const { mac } = question.question;
      const before = waiting.get(mac);
      if (before !== undefined) {
        if (before.asked !== undefined && isSameQuestion(before.asked.question.question, question.question)) {
          before.asked = { question, asker };
          return undefined;
        }
        giveUp(before, 'superseded');
      }
      const decision = decide(question.question);
      if (!(decision instanceof Promise)) return decision;
      for (const oldest of waiting.values()) {
        if (waiting.size < MAX_UNDECIDED) break;
        giveUp(oldest, 'overloaded');
      }
      const entry: Waiting<Asker> = {
        mac,
        asked: { question, asker },
        until: clock.monotonic() + DECISION_DEADLINE_MS,
      };
      waiting.set(mac, entry);
      watch();
      const wait = async (): Promise<void> => {
        try {
          const decided = await decision;
          // Also when it comes too late: the machine's next question may be too early again.
          remember(question, decided);
          const asked = stopped ? undefined : take(entry);
          if (asked !== undefined) onDecided(asked.question, asked.asker, decided);
        } catch (error) {
          const words = wordsOf(error);
          lastFailure = { words, at: clock.monotonic() };
          if (!stopped) giveUp(entry, 'undecided', words);
        }
      };
      void wait();
      return undefined;
    },
    stop: () => {
      stopped = true;
      timer?.cancel();
      waiting.clear();
    },
  };
}
