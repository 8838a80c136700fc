import { retrySchedule } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { EventType } from './api.ts';
import type { Discovered } from './discover.ts';
import type { Life } from './parts.ts';
import { register } from './registration.ts';
import { askStanding } from './standing.ts';
import type { Standing, WipeOrder } from './standing.ts';

/** How a wipe ended. */
export type WipeResult =
  /** Every disk that must be is erased. */
  | { readonly kind: 'done'; readonly words: string }
  /** Some are not; one reason each. */
  | { readonly kind: 'failed'; readonly failures: readonly string[] }
  /** Nothing more was touched: the machine is not to be wiped, or not now. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface WipeHooks {
  /** Of this machine. */
  readonly uuid: string;
  readonly signal: AbortSignal;
  /** Asks the API right before a disk: the order as it is now, or in words why there is none any more. */
  readonly confirm: () => Promise<WipeOrder | string>;
  readonly progress: (words: string) => void;
}

/** Erases the disks of this machine. Rejects only with the signal's reason. */
export type Wipe = (order: WipeOrder, hooks: WipeHooks) => Promise<WipeResult>;

const askAgainMs = { initialMs: 5_000, maxMs: 60_000 };
/** Longest pause between two questions, and a question with its deadlines. */
const questionMs = 150_000;
/** Each step on a disk has a deadline of its own and is heard of more often; probing many disks is not. */
const progressMs = 600_000;

/**
 * Carries out an open wipe order and answers it, as often as there is one. Afterwards the API has said that nothing is to
 * be erased (`clear`), or that the machine is somebody's (`allocated`). As long as it says nothing, neither happens: the
 * machine waits for the answer, and leaves its disks alone.
 *
 * Starts and ends behind the event Registering.
 */
export async function carryOutWipeOrders(life: Life, findings: Discovered): Promise<'clear' | 'allocated'> {
  const { reporter, state, clock, signal } = life;
  let refusal: { readonly order: string; readonly reason: string } | undefined;
  let announced = '';
  for (;;) {
    const standing = await knownStanding(life);
    if (standing.kind === 'free' && refusal !== undefined && standing.wipe?.id === refusal.order) {
      // Ordered, and not to be carried out: a locked machine, say. Somebody has to hear of it.
      if (announced !== refusal.reason) hold(life, refusal.order, refusal.reason);
      announced = refusal.reason;
      await clock.sleep(askAgainMs.maxMs, signal);
    }
    refusal = undefined;
    if (standing.kind === 'allocated') return 'allocated';
    if (standing.kind === 'unknown') {
      reporter.say(
        'standing',
        `nothing is erased, since the API does not say what this machine is: ${standing.reason}`,
      );
      return 'clear';
    }
    const { wipe } = standing;
    if (wipe === undefined) return 'clear';
    if (state.wiped() !== wipe.id) {
      const result = await wipeOnce(life, wipe);
      if (result.kind === 'refused') refusal = { order: wipe.id, reason: result.reason };
      // Nobody has said no: it begins anew when the API answers.
      if (result.kind === 'unsure') await clock.sleep(askAgainMs.initialMs, signal);
      if (result.kind !== 'done') continue;
    }
    life.board.problem('wipe', undefined);
    reporter.say('wipe', `order ${wipe.id} is carried out`);
    await register(life, findings, [`ingot.dev/wiped=${wipe.id}`]);
  }
}

/** Asks until there is an answer that means something. */
async function knownStanding(life: Life): Promise<Standing> {
  const { clock, entropy, signal, reporter, session, board, pulse } = life;
  const delays = retrySchedule({ ...askAgainMs, entropy });
  for (;;) {
    pulse.beat('life', questionMs);
    const standing = await askStanding(session, () => clock.monotonic(), signal);
    if (standing.kind !== 'unknown' || standing.why === 'refused') {
      board.problem('standing', undefined);
      board.show({ waitsFor: '' });
      return standing;
    }
    const delayMs = delays.next().value ?? askAgainMs.maxMs;
    board.problem('standing', standing.reason);
    board.show({ waitsFor: 'the API to say what this machine is' });
    reporter.say(
      'standing',
      `waiting for the API to say what this machine is: ${standing.reason}; again in ${Math.ceil(delayMs / 1000)} s`,
    );
    await clock.sleep(delayMs, signal);
  }
}

/** One try. When it failed, this ends only when the order has changed. */
async function wipeOnce(life: Life, order: WipeOrder): Promise<WipeResult | { readonly kind: 'unsure' }> {
  const { reporter, state, board, pulse, signal, clock, session } = life;
  reporter.enter('wipe', `order ${order.id}`);
  pulse.beat('life', progressMs);
  let result: WipeResult;
  let isSure = true;
  try {
    result = await life.wipe(order, {
      uuid: life.uuid,
      signal,
      confirm: async () => {
        const now = await askStanding(session, () => clock.monotonic(), signal);
        isSure &&= now.kind !== 'unknown' || now.why === 'refused';
        return ordered(now, order.id);
      },
      progress(words) {
        pulse.beat('life', progressMs);
        board.show({ words });
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    result = { kind: 'failed', failures: [reasonOf(error)] };
  }
  if (result.kind === 'done') {
    state.keepWiped(order.id);
    reporter.say('wipe', result.words);
    return result;
  }
  if (result.kind === 'refused') {
    reporter.say('wipe', `nothing more is erased: ${result.reason}`);
    return isSure ? result : { kind: 'unsure' };
  }
  for (const failure of result.failures) reporter.say('wipe', `failed: ${failure}`);
  hold(life, order.id, result.failures.join('; '));
  await orderChanged(life, order.id);
  board.problem('wipe', undefined);
  return result;
}

/** Says why the machine does not wait. It stands behind the event Registering again, as before. */
function hold({ board, outbox }: Life, order: string, reason: string): void {
  board.problem('wipe', reason);
  board.show({ waitsFor: `somebody to look at wipe order ${order}` });
  outbox.crashed(`wipe ${order}: ${reason}`, 'held, for its disks are not erased as ordered');
  outbox.post(EventType.REGISTERING, 'held, for its disks are not erased as ordered');
}

function ordered(standing: Standing, id: string): WipeOrder | string {
  switch (standing.kind) {
    case 'free':
      if (standing.wipe?.id === id) return standing.wipe;
      return standing.wipe === undefined ? 'the order was taken back' : 'there is another order';
    case 'allocated':
      return `the machine was allocated as ${standing.name}`;
    case 'unknown':
      return `the API does not say what this machine is: ${standing.reason}`;
  }
}

/** A disk that could not be erased keeps the machine from waiting. An operator takes the order back, or gives another. */
async function orderChanged(life: Life, id: string): Promise<void> {
  const { clock, signal, board } = life;
  board.show({ waitsFor: `ingot machine wipe --cancel, or a new order: ${id} failed` });
  for (;;) {
    life.pulse.beat('life', questionMs);
    await clock.sleep(askAgainMs.maxMs, signal);
    const standing = await askStanding(life.session, () => clock.monotonic(), signal);
    if (standing.kind === 'allocated' || (standing.kind === 'free' && standing.wipe?.id !== id)) break;
  }
  board.show({ waitsFor: '' });
}
