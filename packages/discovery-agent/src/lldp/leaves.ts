import type { Clock } from '@ingot/net';
import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';
import { parseNeighbors } from './neighbors.ts';
import type { Neighbor } from './neighbors.ts';

export interface LeafSearch {
  readonly neighbors: readonly Neighbor[];
  /** True when at least two different leaves were heard. */
  readonly complete: boolean;
  /** Why not, interface by interface; for a person. Empty when complete. */
  readonly diagnosis: string;
}

export interface LeafSearchOptions {
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long to wait for the second leaf. Switches send every 30 s by default (802.1AB 9.2.5.7). */
  readonly timeoutMs: number;
  /** Time between two looks. */
  readonly pollMs: number;
  /** The NICs, asked again at every look: for the diagnosis, and since links come up meanwhile. */
  readonly links: () => readonly { readonly name: string; readonly carrier: boolean }[];
  readonly ownUuid: string;
}

/** Every machine is cabled to one pair of leaves. */
const leafCount = 2;

/** Asks lldpd until two leaves were heard, or the time is over. Does not fail: what was heard is the answer. */
export async function findLeaves(options: LeafSearchOptions): Promise<LeafSearch> {
  const { clock, signal, run } = options;
  const deadline = clock.monotonic() + options.timeoutMs;
  let trouble = '';
  let neighbors: readonly Neighbor[] = [];
  for (;;) {
    try {
      const output = await run('lldpcli', ['-f', 'json', 'show', 'neighbors', 'details'], {
        timeoutMs: 10_000,
        signal,
      });
      const parsed = parseNeighbors(output);
      trouble = parsed.ok ? '' : parsed.reason;
      if (parsed.ok) neighbors = leavesOnly(parsed.value, options.ownUuid);
    } catch (error) {
      signal.throwIfAborted();
      trouble = reasonOf(error);
    }
    const complete = new Set(neighbors.map((neighbor) => neighbor.chassisId)).size >= leafCount;
    if (complete) return { neighbors, complete, diagnosis: '' };
    if (clock.monotonic() >= deadline)
      return { neighbors, complete, diagnosis: diagnose(neighbors, options.links(), trouble) };
    await clock.sleep(options.pollMs, signal);
  }
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Without other machines in discovery, which call themselves by their UUID and are heard where a cable goes from machine
 * to machine or a switch floods LLDP; and without this machine hearing itself.
 */
function leavesOnly(neighbors: readonly Neighbor[], ownUuid: string): Neighbor[] {
  return neighbors.filter(({ sysName }) => sysName.toLowerCase() !== ownUuid && !uuidPattern.test(sysName));
}

function diagnose(
  neighbors: readonly Neighbor[],
  links: readonly { readonly name: string; readonly carrier: boolean }[],
  trouble: string,
): string {
  const ports = links.map(({ name, carrier }) => {
    const heard = neighbors.filter((neighbor) => neighbor.nic === name);
    if (heard.length > 0)
      return `${name} hears ${heard.map(({ sysName, chassisId, portId }) => `${sysName || chassisId} port ${portId}`).join(' and ')}`;
    return carrier ? `${name} has a link but hears no LLDP` : `${name} has no link`;
  });
  const seen = new Set(neighbors.map((neighbor) => neighbor.chassisId)).size;
  return [
    `heard ${seen} of ${leafCount} leaves: ${ports.length === 0 ? 'no NICs' : ports.join(', ')}`,
    ...(trouble === '' ? [] : [`lldpcli: ${trouble}`]),
  ].join('; ');
}
