import type { Logger } from '@ingot/daemon';
import type { BootMetrics } from '../metrics.ts';
import type { ProbeResult } from './address-probe.ts';
import type { DhcpOutcome } from './outcome.ts';

export interface ConflictCheck<T> {
  /** The answer, if it may leave now. Else undefined: it, or another in its place, comes by `onSettled`. */
  pass(answer: T): T | undefined;
  stop(): void;
}

/** Addresses tried for one DISCOVER; the machine's next one goes on from there. */
const MAX_TRIES = 3;
/** Clients that wait for a probe: more than there are probes only where one address goes from hand to hand. */
const MAX_WAITING = 1_024;

/**
 * Holds back offers of addresses that their client did not have lately, until the network was asked whether somebody
 * else has them. `onSettled` gets what to do next, in a round of the engine: it may write leases.
 */
export function conflictCheck<T extends { readonly outcome: DhcpOutcome }>(components: {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly check: (address: number) => ProbeResult | Promise<ProbeResult>;
  readonly onSettled: (settle: () => T | undefined) => void;
}): ConflictCheck<T> {
  const { log, metrics, check, onSettled } = components;
  const waiting = new Map<string, { answer: T }>();
  let stopped = false;

  const pass = (answer: T, tries: number): T | undefined => {
    const { outcome } = answer;
    if (outcome.kind !== 'reply' || outcome.unproven === undefined) return answer;
    const { mac } = outcome.request;
    const key = `${mac} ${outcome.address}`;
    const before = waiting.get(key);
    if (before !== undefined) {
      // The client repeats itself: its newest question is answered.
      before.answer = answer;
      return undefined;
    }
    const found = waiting.size < MAX_WAITING ? check(outcome.unproven.address) : 'unknown';
    if (!(found instanceof Promise)) return settle(answer, found, tries);
    const entry = { answer };
    waiting.set(key, entry);
    const wait = async (): Promise<void> => {
      const result = await found;
      waiting.delete(key);
      if (!stopped) onSettled(() => settle(entry.answer, result, tries));
    };
    void wait();
    return undefined;
  };
  const settle = (answer: T, result: ProbeResult, tries: number): T | undefined => {
    const { outcome } = answer;
    if (result !== 'in-use' || outcome.kind !== 'reply' || outcome.unproven === undefined) return answer;
    const { request, address, unproven } = outcome;
    if (!unproven.setAside()) return answer;
    metrics.drop('dhcp', 'address-conflict');
    log.warn(
      { event: 'dhcp.conflict', mac: request.mac, uuid: request.boot.uuid, giaddr: request.packet.giaddr, address },
      `${address} is in use by a host that did not get it here: take it out of the pool, or the host off the address`,
    );
    const detail = `${MAX_TRIES} addresses in a row are in use by others, the last of them ${address}`;
    if (tries >= MAX_TRIES)
      return { ...answer, outcome: { kind: 'drop', reason: 'addresses-in-use', detail, request } };
    return pass({ ...answer, outcome: unproven.offerAnother() }, tries + 1);
  };

  return {
    pass: (answer) => pass(answer, 1),
    stop: () => {
      stopped = true;
      waiting.clear();
    },
  };
}
