import type { Clock } from '@ingot/net';
import { keepNewest } from '../limits/keep-newest.ts';

export type ProbeResult = 'in-use' | 'free' | 'unknown';

/** Asks the network whether a host has an address, before it is given to another (RFC 2131 §2.2, §3.1, §4.3.1). */
export interface AddressProbe {
  /** `address`: an unsigned 32-bit number. Resolves within a time of the probe's own; `unknown`: it cannot be asked. */
  probe(address: number): Promise<ProbeResult>;
  /** Whoever still waits is told `unknown`. */
  stop(): void;
}

/**
 * A rack that powers on asks for hundreds at once: the rest is offered unasked, as by a server without probes. A relay
 * or a benchmark that keeps 64 questions under way must not have all of them wait.
 */
const MAX_PROBES = 32;
const FREE_FOR_MS = 60_000;
/** As long as a declined address is held. */
const IN_USE_FOR_MS = 600_000;
const MAX_REMEMBERED = 4_096;

/** Results of a probe at once where they are known or cannot be had; one question an address at a time. */
export function rememberedProbe(
  clock: Clock,
  probe: AddressProbe,
): (address: number) => ProbeResult | Promise<ProbeResult> {
  const known = new Map<number, { readonly result: ProbeResult; readonly until: number }>();
  const underWay = new Map<number, Promise<ProbeResult>>();
  const ask = async (address: number): Promise<ProbeResult> => {
    let result: ProbeResult = 'unknown';
    try {
      result = await probe.probe(address);
    } catch {
      // A machine that wants to boot does not suffer for it.
    }
    underWay.delete(address);
    const forMs = { free: FREE_FOR_MS, 'in-use': IN_USE_FOR_MS, unknown: 0 }[result];
    if (forMs > 0) keepNewest(known, address, { result, until: clock.monotonic() + forMs }, MAX_REMEMBERED);
    return result;
  };
  return (address) => {
    const before = known.get(address);
    if (before !== undefined && before.until > clock.monotonic()) return before.result;
    const asked = underWay.get(address);
    if (asked !== undefined) return asked;
    if (underWay.size >= MAX_PROBES) return 'unknown';
    const asking = ask(address);
    underWay.set(address, asking);
    return asking;
  };
}
