import { ApiError, type apiV2, Code } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { CliError, CliErrorCode } from '../errors.ts';
import { durationText } from '../time-text.ts';
import { PHASES, standingOf, type Standing } from './phases.ts';

export interface FollowOptions {
  readonly look: () => Promise<apiV2.Machine | undefined>;
  /** Told what is new; also of a server that does not answer for now. */
  readonly onStanding: (standing: Standing) => void;
  readonly onAway: (error: ApiError) => void;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Often enough for a person, rare enough for a server. */
const LOOK_EVERY_MS = 2000;

/**
 * Looks at an allocated machine until it has phoned home. Rejects with CliError when it crashes, is taken away or takes
 * too long, with ApiError when the server refuses to tell, and with the signal's reason.
 */
export async function followMachine(options: FollowOptions): Promise<void> {
  const { clock, signal, timeoutMs } = options;
  const endMs = clock.monotonic() + timeoutMs;
  let standing: Standing | undefined;
  for (;;) {
    const machine = await lookOnce(options);
    signal.throwIfAborted();
    if (machine !== undefined) {
      standing = standingOf(machine);
      options.onStanding(standing);
      if (standing.failure !== undefined) throw new CliError(CliErrorCode.Failed, standing.failure);
      if (standing.passed === PHASES.length) return;
    }
    if (clock.monotonic() >= endMs) {
      const last =
        standing === undefined || standing.news === '' ? 'it has said nothing' : `its last word: ${standing.news}`;
      throw new CliError(CliErrorCode.Timeout, `not done within ${durationText(timeoutMs)}; ${last}`);
    }
    await clock.sleep(Math.min(LOOK_EVERY_MS, Math.max(1, endMs - clock.monotonic())), signal);
  }
}

async function lookOnce({ look, onAway }: FollowOptions): Promise<apiV2.Machine | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== Code.Unavailable && error.code !== Code.DeadlineExceeded))
      throw error;
    onAway(error);
    return undefined;
  }
}
