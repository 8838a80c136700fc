import { retrySchedule } from '@ingot/net';
import type { Clock, Entropy } from '@ingot/net';
import { reasonOf } from '../errors.ts';
import { EventType, isRefusal } from './api.ts';
import type { Reporter } from './reporter.ts';
import type { Session } from './session.ts';
import type { State } from './state.ts';

export interface OutboxParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly session: Session;
  readonly state: Pick<State, 'keepLastEvent'>;
}

const retryMs = { initialMs: 1_000, maxMs: 30_000 };
/** A machine that is silent for five minutes counts as dead. */
const aliveEveryMs = 60_000;
/** Longest text of an event, characters. */
const maxMessageLength = 256;
/** Nobody posts that many while the API is away; beyond it the older ones are left out. */
const maxWaiting = 64;

/** After which events the API takes Alive without wondering: spec of metal-stack's provisioning state machine. */
const aliveAfter: ReadonlySet<EventType> = new Set([
  EventType.PREPARING,
  EventType.REGISTERING,
  EventType.WAITING,
  EventType.INSTALLING,
]);

/**
 * Events on their way to the API: delivered in the order in which they were posted, each once, for as long as that takes.
 * One that the API refuses is said and left out; the machine's work does not depend on it.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #waiting: { readonly event: EventType; readonly message: string }[] = [];
  #last: EventType | undefined;
  #wake = Promise.withResolvers<void>();
  #empty = Promise.withResolvers<void>();
  #aliveTrouble = '';

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#empty.resolve();
  }

  /** What was posted last, delivered or not; the API takes only some events after it. */
  get last(): EventType | undefined {
    return this.#last;
  }

  post(event: EventType, message: string): void {
    if (this.#waiting.length === 0) this.#empty = Promise.withResolvers<void>();
    if (this.#waiting.length === maxWaiting) this.#waiting.splice(1, 1);
    this.#waiting.push({ event, message: this.#parts.reporter.scrub(message).slice(0, maxMessageLength) });
    this.#last = event;
    this.#wake.resolve();
  }

  /** Something failed. The machine goes on trying, so that it is preparing again at once, and not silent. */
  crashed(reason: string, next: string): void {
    this.post(EventType.CRASHED, reason);
    this.post(EventType.PREPARING, next);
  }

  /** Resolves when everything posted by now was delivered or refused. */
  async flush(): Promise<void> {
    await this.#empty.promise;
  }

  /** Delivers what is posted. Rejects with the signal's reason. */
  async run(): Promise<never> {
    const { clock, entropy, signal } = this.#parts;
    const ended = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    ended.catch(() => undefined);
    let delays = retrySchedule({ ...retryMs, entropy });
    for (;;) {
      signal.throwIfAborted();
      const next = this.#waiting[0];
      if (next === undefined) {
        this.#empty.resolve();
        this.#wake = Promise.withResolvers<void>();
        await Promise.race([this.#wake.promise, ended]);
        continue;
      }
      const delayMs = await this.#deliver(next, () => delays.next().value ?? retryMs.maxMs);
      if (delayMs === undefined) {
        this.#waiting.shift();
        delays = retrySchedule({ ...retryMs, entropy });
      } else await clock.sleep(delayMs, signal);
    }
  }

  /** Says every minute that the machine is alive, when it has nothing else to say and the API expects it. */
  async heartbeat(words: () => string, onBeat: () => void): Promise<never> {
    const { clock, session, signal, reporter } = this.#parts;
    for (;;) {
      onBeat();
      await clock.sleep(aliveEveryMs, signal);
      if (this.#waiting.length > 0 || this.#last === undefined || !aliveAfter.has(this.#last)) continue;
      try {
        await session.call((api) => api.sendEvent(EventType.ALIVE, words().slice(0, maxMessageLength), signal));
        this.#aliveTrouble = '';
      } catch (error) {
        signal.throwIfAborted();
        const reason = reasonOf(error);
        if (reason !== this.#aliveTrouble)
          reporter.say(reporter.phase, `cannot say that this machine is alive: ${reason}`);
        this.#aliveTrouble = reason;
      }
    }
  }

  /** Undefined when the event is off our hands, else how long to wait before the next try. */
  async #deliver(
    { event, message }: { readonly event: EventType; readonly message: string },
    nextDelayMs: () => number,
  ): Promise<number | undefined> {
    const { session, reporter, signal, state } = this.#parts;
    const { phase } = reporter;
    try {
      await session.call((api) => api.sendEvent(event, message, signal));
      state.keepLastEvent(event);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (isRefusal(error)) {
        reporter.say(phase, `event not delivered: ${reasonOf(error)}; left out`);
        return undefined;
      }
      const delayMs = nextDelayMs();
      reporter.say(phase, `event not delivered: ${reasonOf(error)}; again in ${Math.ceil(delayMs / 1000)} s`);
      return delayMs;
    }
  }
}
