import { apiV2, enumText } from '@ingot/api';
import type { Health, Logger } from '@ingot/daemon';
import { retrySchedule, withRetry, type Clock, type Entropy } from '@ingot/net';
import type { BmcApi, BmcCommand } from './api.ts';
import { carryOut, isRepeatable } from './carry-out.ts';
import type { BmcConnection, BmcController } from './controller.ts';
import { BmcError, BmcErrorCode, reasonOf } from './errors.ts';
import { createLanes } from './lanes.ts';
import type { BmcMetrics } from './metrics.ts';

export interface BmcWorkerOptions {
  readonly api: Pick<BmcApi, 'commands' | 'done'>;
  /** The controller of a command's machine. Rejects with BmcError when it cannot be reached by what is known of it. */
  readonly controllerOf: (
    command: BmcCommand,
    signal: AbortSignal,
  ) => Promise<Pick<BmcConnection, keyof BmcController | 'close'>>;
  readonly atOnce: number;
  readonly commandMs: number;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly metrics: (waiting: () => number) => BmcMetrics;
  readonly health: Health;
  readonly status: (text: string) => void;
}

export interface BmcWorker {
  /** Takes no more commands, and gives those under way a few seconds to end. */
  stop(): Promise<void>;
}

interface Task {
  readonly command: BmcCommand;
  /** When the API last said that it wants this, monotonic. */
  wantedMs: number;
}

// A stream tells nothing when it opens; one that has not failed for so long is open.
const OPEN_AFTER_MS = 2000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** More are left at the API, where another worker can take them. */
const MAX_WAITING = 256;
/** Results that the API has not taken yet: one that gives commands and takes no results gets no more done. */
const MAX_UNTOLD = 1_024;
/**
 * The API gives a command again, or up, 120 s after it gave it: one that has waited for nearly as long is not begun, or
 * somebody else would do it, too.
 */
const WANTED_MS = 100_000;
// 40 tries, the last ones 15 s apart: for as long as the API keeps an open command.
const ACKNOWLEDGE_TRIES = 40;
// The daemon has 10 s to stop.
const STOP_MS = 7000;
const MAX_ERROR = 1000;

/**
 * Holds the stream of commands open, carries them out, one at a time for each machine, and tells the API the result of
 * each. A command that the API gives again while it is known is not carried out again.
 */
export function startBmcWorker(options: BmcWorkerOptions): BmcWorker {
  const { api, clock, entropy, log, health } = options;
  const stream = new AbortController();
  const work = new AbortController();
  const known = new Map<string, Task>();
  const acknowledgements = new Set<Promise<void>>();

  const lanes = createLanes<Task>({
    atOnce: options.atOnce,
    keyOf: ({ command }) => command.machine,
    async run(task) {
      const { command } = task;
      if (clock.monotonic() - task.wantedMs > WANTED_MS) {
        log.warn(described(command), 'a command waited for too long, and is left to the API');
        return leave(command, `others took ${WANTED_MS / 1000} s`);
      }
      const outcome = await attempt(command);
      if (work.signal.aborted) return;
      tell(command, outcome);
    },
  });
  const tell = (command: BmcCommand, outcome: string | undefined): void => {
    const told = acknowledge(command, outcome).finally(() => acknowledgements.delete(told));
    acknowledgements.add(told);
  };
  /** A command that is not begun: the API gives it to somebody else, or, where it gives nothing twice, is told. */
  const leave = (command: BmcCommand, reason: string): void => {
    if (isRepeatable(command.command)) known.delete(command.id);
    else tell(command, `${BmcErrorCode.NotBegun}: not begun, since ${reason}: order it again`);
  };
  const metrics = options.metrics(() => lanes.waiting);

  /** What to tell the API: nothing, or the error. Never rejects. */
  const attempt = async (command: BmcCommand): Promise<string | undefined> => {
    const startedMs = clock.monotonic();
    const deadline = new AbortController();
    const timer = clock.setTimeout(() => {
      deadline.abort(
        new BmcError(
          BmcErrorCode.Timeout,
          `not done within ${options.commandMs / 1000} s, and given up: the BMC is slow or hangs; look at the machine before you try again`,
        ),
      );
    }, options.commandMs);
    const signal = AbortSignal.any([deadline.signal, work.signal]);
    let failure: BmcError | undefined;
    try {
      const bmc = await options.controllerOf(command, signal);
      try {
        await carryOut(command.command, bmc, { clock, signal });
      } finally {
        await bmc.close();
      }
    } catch (error) {
      failure = bmcErrorOf(error);
    } finally {
      timer.cancel();
    }
    if (work.signal.aborted) return undefined;
    const seconds = (clock.monotonic() - startedMs) / 1000;
    metrics.carriedOut(commandName(command), failure?.code ?? 'done', seconds);
    if (failure === undefined) log.info({ ...described(command), seconds }, 'a command is carried out');
    else log.warn({ ...described(command), seconds, code: failure.code, reason: failure.message }, 'a command failed');
    return failure === undefined ? undefined : `${failure.code}: ${failure.message}`.slice(0, MAX_ERROR);
  };

  /** Until the API has taken it. Never rejects. */
  const acknowledge = async (command: BmcCommand, error: string | undefined): Promise<void> => {
    try {
      const taken = await withRetry(() => api.done(command.id, error, work.signal), {
        schedule: retrySchedule({
          initialMs: FIRST_RETRY_MS,
          maxMs: LONGEST_RETRY_MS,
          retries: ACKNOWLEDGE_TRIES - 1,
          entropy,
        }),
        clock,
        signal: work.signal,
        onRetry: () => metrics.acknowledgementFailed(),
      });
      if (!taken) log.info(described(command), 'the API does not wait for the result of a command any more');
    } catch (failure) {
      if (!work.signal.aborted)
        log.error({ ...described(command), reason: reasonOf(failure) }, 'the result of a command could not be told');
    } finally {
      known.delete(command.id);
    }
  };

  const take = (command: BmcCommand): void => {
    const before = known.get(command.id);
    if (before !== undefined) {
      before.wantedMs = clock.monotonic();
      return;
    }
    const task = { command, wantedMs: clock.monotonic() };
    known.set(command.id, task);
    lanes.push(task);
  };

  const state = (reason: string | undefined): void => {
    metrics.stream(reason === undefined);
    health.set('stream', reason === undefined ? { ok: true } : { ok: false, reason });
    options.status(reason === undefined ? 'waits for commands' : `no commands: ${reason}`);
  };

  const follow = async (): Promise<void> => {
    const fresh = (): Generator<number, void, void> =>
      retrySchedule({ initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS, entropy });
    let delays = fresh();
    let said = '';
    state('not connected yet');
    while (!stream.signal.aborted) {
      const opened = (): void => {
        settled.cancel();
        delays = fresh();
        if (said !== '') log.info({}, 'the API gives commands again');
        said = '';
        state(undefined);
      };
      const settled = clock.setTimeout(opened, OPEN_AFTER_MS);
      let reason = 'the API has ended the stream of commands';
      try {
        for await (const command of api.commands(stream.signal)) {
          opened();
          take(command);
          await lanes.room(MAX_WAITING);
          while (acknowledgements.size >= MAX_UNTOLD) await Promise.race(acknowledgements);
        }
      } catch (error) {
        reason = reasonOf(error);
      } finally {
        settled.cancel();
      }
      if (stream.signal.aborted) return;
      state(reason);
      if (said !== reason) log.warn({ reason }, 'no commands from the API; tries again');
      said = reason;
      await clock.sleep(delays.next().value ?? LONGEST_RETRY_MS, stream.signal).catch(() => undefined);
    }
  };
  const followed = follow();

  return {
    async stop() {
      stream.abort(new Error('the worker stops'));
      const timer = clock.setTimeout(() => work.abort(new Error('the worker stops')), STOP_MS);
      await Promise.all([followed, lanes.drain(({ command }) => leave(command, 'the worker was stopped'))]);
      await Promise.all(acknowledgements);
      timer.cancel();
    },
  };
}

function commandName({ command }: BmcCommand): string {
  return enumText(apiV2.MachineBMCCommandSchema, command);
}

function described(command: BmcCommand): { readonly machine: string; readonly command: string; readonly id: string } {
  return { machine: command.machine, command: commandName(command), id: command.id };
}

/** Anything else is a mistake in the worker, which must not cost the other machines theirs. */
function bmcErrorOf(error: unknown): BmcError {
  return error instanceof BmcError ? error : new BmcError(BmcErrorCode.Refused, reasonOf(error), error);
}
