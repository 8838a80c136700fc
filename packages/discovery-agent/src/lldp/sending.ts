import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';

/** Seconds. While the machine is discovered its leaves shall hear of it soon; while it waits, seldom is enough. */
export const LldpPace = { discovering: 5, waiting: 30 } as const;

const commandTimeoutMs = 10_000;

interface SendingParts {
  readonly run: RunCommand;
  readonly signal: AbortSignal;
}

/**
 * Tells lldpd how often to send, in seconds.
 *
 * @returns what went wrong; undefined when nothing did. What was before goes on then, which is no failure
 */
export function setLldpPace(seconds: number, parts: SendingParts): Promise<string | undefined> {
  return configure(['lldp', 'tx-interval', String(seconds)], parts);
}

/**
 * Tells lldpd by what name leaves hear of this machine. `/init` has given it the UUID of the product, which is not the
 * machine's on boards that keep theirs in the serial number.
 *
 * @returns as `setLldpPace`
 */
export function setLldpName(uuid: string, parts: SendingParts): Promise<string | undefined> {
  return configure(['system', 'hostname', uuid], parts);
}

async function configure(words: readonly string[], { run, signal }: SendingParts): Promise<string | undefined> {
  try {
    await run('lldpcli', ['configure', ...words], { timeoutMs: commandTimeoutMs, signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `LLDP goes on as before: ${reasonOf(error)}`;
  }
}
