import type { BootRequest } from '../decide/client.ts';
import type { BootDecision } from '../decide/decision.ts';
import { relayIdText } from '../decide/relay-id.ts';
import type { DhcpRequest } from './request.ts';
import type { Subnet } from './subnets.ts';

/** A boot request with where it came from: all that a decision may depend on. */
export interface BootQuestion extends BootRequest {
  /** Sub-options 1 and 2 of option 82, as `relayIdText` has them. */
  readonly circuitId: string | undefined;
  readonly remoteId: string | undefined;
  /** `10.0.1.0/24`. */
  readonly subnet: string;
}

/** Tells what a machine is to boot: at once where the answer is known, else in its own time. Must not throw. */
export type DecideBoot = (question: BootQuestion) => BootDecision | Promise<BootDecision>;

export function bootQuestion({ boot, relay, mac }: DhcpRequest, { id, hostNames }: Subnet): BootQuestion {
  const hostname = hostNames.get(mac) ?? boot.hostname;
  return {
    ...boot,
    circuitId: relayIdText(relay?.circuitId),
    remoteId: relayIdText(relay?.remoteId),
    subnet: id,
    hostname,
  };
}

/** Whether one answer serves both. */
export function isSameQuestion(a: BootQuestion, b: BootQuestion): boolean {
  return (
    a.mac === b.mac &&
    a.uuid === b.uuid &&
    a.vendorClass === b.vendorClass &&
    a.subnet === b.subnet &&
    a.hostname === b.hostname &&
    a.circuitId === b.circuitId &&
    a.remoteId === b.remoteId &&
    a.architectures.join() === b.architectures.join() &&
    a.userClasses.join() === b.userClasses.join() &&
    [...(a.ipxeFeatures ?? [])].join() === [...(b.ipxeFeatures ?? [])].join()
  );
}
