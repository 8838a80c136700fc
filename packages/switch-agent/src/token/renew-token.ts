import type { Logger } from '@ingot/daemon';
import type { Clock } from '@ingot/net';
import { isUnreachable } from '../api.ts';
import { pause } from '../loop.ts';
import type { Problems } from '../problems.ts';
import type { TokenFile } from './token-file.ts';
import { tokenLife } from './token-life.ts';

export interface RenewTokenOptions {
  readonly file: TokenFile;
  /** Asks the API for another token like the one in the file. */
  readonly refresh: (signal: AbortSignal) => Promise<string>;
  /** Told when the token in the file ends, milliseconds since the epoch. */
  readonly onExpiry: (expiresMs: number) => void;
  readonly onFailed: () => void;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly signal: AbortSignal;
}

// With a third of its life left there is time for the API to be away before only a quarter is.
const RENEW_AT_ONE_IN = 3;
const LOOK_MS = 60_000;
const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 600_000;
// A token that cannot be renewed here is a problem for all to see when so much of its life is left.
const URGENT_AT_ONE_IN = 4;

/**
 * Renews the token in time, until the signal, and puts the new one into its file. Somebody else may do so as well: the
 * file is read each minute, and what it holds counts. A token that is no JSON web token is left alone.
 */
export async function renewToken(options: RenewTokenOptions): Promise<void> {
  const { file, clock, problems, log, signal } = options;
  /** A renewed token that could not be written yet: the API is not asked for another. */
  let unwritten: { readonly old: string; readonly renewed: string } | undefined;
  let hasToldReadOnly = false;
  let retryMs = FIRST_RETRY_MS;

  /** Says once that the token is not renewed, and again, to the API too, when it becomes urgent. */
  const tellReadOnly = (expiresMs: number, isUrgent: boolean): void => {
    const reason =
      `the folder of ${file.path} is read-only, so the token is not renewed; it ends ${isoDate(expiresMs)}: ` +
      'put another one there and restart the agent, or keep the token in a folder that it can write';
    if (isUrgent) problems.report('token', reason);
    else if (!hasToldReadOnly) log.info({ token: file.path }, reason);
    hasToldReadOnly = true;
  };

  const renew = async (old: string): Promise<void> => {
    if (unwritten?.old !== old) unwritten = { old, renewed: await options.refresh(signal) };
    const { renewed } = unwritten;
    // Whoever has replaced it meanwhile knew better.
    if ((await file.read()) === old) {
      await file.replace(renewed);
      const life = tokenLife(renewed);
      if (life !== undefined) options.onExpiry(life.expiresMs);
      log.info({ until: life && isoDate(life.expiresMs) }, 'the token is renewed');
    }
    unwritten = undefined;
  };

  /** Answers when to look again, in milliseconds. */
  const look = async (): Promise<number> => {
    let endsAt = '';
    try {
      const token = await file.read();
      const life = tokenLife(token);
      if (life === undefined) return LOOK_MS;
      options.onExpiry(life.expiresMs);
      endsAt = ` (it ends ${isoDate(life.expiresMs)})`;
      const lifetimeMs = life.expiresMs - life.issuedMs;
      const dueInMs = life.expiresMs - lifetimeMs / RENEW_AT_ONE_IN - clock.now();
      if (!(await file.isWritable())) {
        tellReadOnly(life.expiresMs, life.expiresMs - clock.now() < lifetimeMs / URGENT_AT_ONE_IN);
        return LOOK_MS;
      }
      if (dueInMs <= 0) await renew(token);
      problems.clear('token');
      retryMs = FIRST_RETRY_MS;
      return dueInMs <= 0 ? LOOK_MS : Math.min(LOOK_MS, dueInMs);
    } catch (error) {
      if (signal.aborted) return LOOK_MS;
      options.onFailed();
      const reason = error instanceof Error ? error.message : String(error);
      problems.report('token', `the token in ${file.path} could not be renewed${endsAt}: ${reason}`, {
        tellApi: !isUnreachable(error),
      });
      const delayMs = retryMs;
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
      return delayMs;
    }
  };

  while (!signal.aborted) {
    if (!(await pause(clock, await look(), signal))) return;
  }
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}
