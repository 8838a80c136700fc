import type { Clock } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';
import { judgeLeaves } from './leaf-rule.ts';
import type { LeafFindings, LeafPolicy } from './leaf-rule.ts';
import { parseNeighbors } from './neighbors.ts';
import type { Neighbor } from './neighbors.ts';
import type { LldpPort } from './ports.ts';

export interface LeafSearchOptions extends LeafPolicy {
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * How long to wait for the second leaf; default 40000. Switches send every 30 s unless told otherwise (msgTxInterval,
   * IEEE 802.1AB-2016 9.2.5.7), and a link takes seconds to come up.
   */
  readonly timeoutMs?: number;
  /** Time between two looks; default 1000. */
  readonly pollMs?: number;
  /** The ports, asked again at every look, since links come up meanwhile. */
  readonly ports: () => readonly LldpPort[];
}

const defaultTimeoutMs = 40_000;
const defaultPollMs = 1_000;
const commandTimeoutMs = 10_000;

/**
 * Asks lldpd until exactly two leaves were heard, or the time is over. Does not fail: what was heard is the answer.
 *
 * lldpd forgets neighbours whose time to live is over and those that say goodbye, so every look starts anew.
 */
export async function findLeaves(options: LeafSearchOptions): Promise<LeafFindings> {
  const { clock, signal, run, timeoutMs = defaultTimeoutMs, pollMs = defaultPollMs } = options;
  const deadline = clock.monotonic() + timeoutMs;
  let trouble = '';
  let heard: readonly Neighbor[] = [];
  for (;;) {
    try {
      // json0 has the same shape whatever neighbours send.
      const output = await run('lldpcli', ['-f', 'json0', 'show', 'neighbors', 'details'], {
        timeoutMs: commandTimeoutMs,
        signal,
      });
      const parsed = parseNeighbors(output);
      trouble = parsed.ok ? '' : `; ${parsed.reason}`;
      if (parsed.ok) heard = parsed.value;
    } catch (error) {
      signal.throwIfAborted();
      trouble = `; lldpcli: ${reasonOf(error)}`;
    }
    const findings = judgeLeaves(heard, options.ports(), options);
    if (findings.complete) return findings;
    if (clock.monotonic() >= deadline) return { ...findings, diagnosis: findings.diagnosis + trouble };
    await clock.sleep(pollMs, signal);
  }
}
