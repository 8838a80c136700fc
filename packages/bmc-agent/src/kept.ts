import type { Clock } from '@ingot/net';
import { BmcError, BmcErrorCode } from './errors.ts';

/** Answers what `ask` does, which is asked only when its last answer is too old. */
export type Kept<Answer> = (ask: () => Promise<Answer>) => Promise<Answer>;

/** A no is an answer, too: the BMC would give it again. Silence is none. */
const IS_ANSWER: ReadonlySet<BmcErrorCode> = new Set([
  BmcErrorCode.Refused,
  BmcErrorCode.Unsupported,
  BmcErrorCode.Answer,
]);

/** Keeps an answer for `keptMs`. */
export function keep<Answer>(clock: Clock, keptMs: number): Kept<Answer> {
  let kept: { readonly answer: Answer } | { readonly refusal: BmcError } | undefined;
  let sinceMs = 0;
  return async (ask) => {
    if (kept === undefined || clock.monotonic() - sinceMs > keptMs) {
      kept = undefined;
      try {
        kept = { answer: await ask() };
      } catch (error) {
        if (!(error instanceof BmcError) || !IS_ANSWER.has(error.code)) throw error;
        kept = { refusal: error };
      }
      sinceMs = clock.monotonic();
    }
    if ('refusal' in kept) throw kept.refusal;
    return kept.answer;
  };
}
