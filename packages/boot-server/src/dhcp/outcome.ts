import type { Ipv4, Mac } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { BootDecision } from '../decide/decision.ts';
import type { BootQuestion } from './boot-question.ts';
import type { DhcpRequest } from './request.ts';

/** What came of one datagram. */
export type DhcpOutcome =
  | {
      readonly kind: 'reply';
      readonly reply: 'offer' | 'ack' | 'nak';
      readonly data: Uint8Array;
      readonly target: Endpoint;
      /** Where `target` is the broadcast and one client could be reached: the address that it gets. */
      readonly unicast?: Ipv4;
      readonly request: DhcpRequest;
      /** The address given; undefined in an offer beside another server, and to an INFORM. */
      readonly address: Ipv4 | undefined;
      /** Beside another server: it leases nothing, and leaves whatever the disk says. */
      readonly isBeside: boolean;
      /** What the client was told to load. */
      readonly boot: BootDecision;
      /** Of an offer whose address somebody else may have: ask the network first. */
      readonly unproven?: UnprovenOffer;
      /** What somebody has to mend although there is an answer. */
      readonly remarks?: readonly DhcpRemark[];
    }
  /** An answer to a program on this host, which is no client. */
  | { readonly kind: 'told'; readonly what: 'lease-time'; readonly data: Uint8Array; readonly target: Endpoint }
  /** Understood, acted upon, and nothing to answer. */
  | { readonly kind: 'done'; readonly what: 'released' | 'declined' | 'withdrawn'; readonly request: DhcpRequest }
  | {
      readonly kind: 'drop';
      readonly reason: DhcpDropReason;
      readonly detail: string;
      readonly request?: DhcpRequest;
      /** Whose it is, where that is all that could be read of it. */
      readonly mac?: Mac | undefined;
    };

export interface DhcpRemark {
  readonly event: 'dhcp.reservation-taken' | 'dhcp.options-left-out' | 'dhcp.relay-in-pool' | 'dhcp.agent-unread';
  readonly words: string;
}

export interface UnprovenOffer {
  readonly address: number;
  /** It is in use by others: nobody gets it for a while. False when the client has since got it for good. */
  setAside(): boolean;
  /** The answer with another address. */
  offerAnother(): DhcpOutcome;
}

/** A packet whose answer depends on what the machine is to boot. */
export interface DhcpQuestion {
  readonly kind: 'question';
  readonly request: DhcpRequest;
  readonly question: BootQuestion;
  /** The rest of the work, once that is decided. Leases addresses. */
  answer(decision: BootDecision): DhcpOutcome;
}

export type DhcpDropReason =
  | 'malformed'
  | 'not-a-request'
  | 'not-ethernet'
  | 'no-message-type'
  | 'unknown-network'
  | 'unknown-relay'
  | 'unserved-type'
  | 'not-booting'
  | 'unknown-architecture'
  | 'no-binary'
  | 'not-ours'
  | 'needs-pxe'
  | 'pool-exhausted'
  | 'reservation-taken'
  | 'unknown-lease'
  | 'not-its-address'
  | 'too-many-declines'
  | 'another-server'
  | 'reply-too-large'
  | 'no-reservation'
  | 'addresses-in-use'
  | 'undecided'
  | 'overloaded'
  | 'superseded';
