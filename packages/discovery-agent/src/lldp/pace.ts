import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';

/** While the machine is discovered its leaves shall hear of it soon; while it waits, seldom is enough. */
export const LldpPace = { discovering: 5, waiting: 30 } as const;

const commandTimeoutMs = 10_000;

/**
 * Tells lldpd how often to send, in seconds.
 *
 * @returns what went wrong; undefined when nothing did. What was before goes on then, which is no failure
 */
export async function setLldpPace(
  seconds: number,
  { run, signal }: { readonly run: RunCommand; readonly signal: AbortSignal },
): Promise<string | undefined> {
  try {
    const limits = { timeoutMs: commandTimeoutMs, signal };
    await run('lldpcli', ['configure', 'lldp', 'tx-interval', String(seconds)], limits);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `LLDP goes on as before: ${reasonOf(error)}`;
  }
}
