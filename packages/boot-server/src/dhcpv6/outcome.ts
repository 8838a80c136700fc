import type { Ipv6 } from '@ingot/wire';
import type { Endpoint } from '@ingot/net';
import type { BootRequest } from '../decide/client.ts';
import type { BootDecision } from '../decide/decision.ts';
import type { Dhcp6Request } from './request.ts';

/** How a datagram came: to the group on one of the own links, to an own address, or to its port 4011. */
export type Dhcp6Arrival =
  | { readonly kind: 'multicast'; readonly interfaceName: string }
  | { readonly kind: 'unicast' }
  | { readonly kind: 'boot-service' };

/** What came of one datagram. */
export type Dhcp6Outcome =
  | {
      readonly kind: 'reply';
      readonly reply: 'advertise' | 'reply' | 'released' | 'declined';
      readonly data: Uint8Array;
      readonly target: Endpoint;
      readonly request: Dhcp6Request;
      /** Given, or given back. */
      readonly addresses: readonly Ipv6[];
      readonly boot: BootDecision;
      /** An address was asked for that there is not. */
      readonly isShort: boolean;
      /** In a network where another server leases: it leaves whatever the disk says. */
      readonly isBeside: boolean;
    }
  | {
      readonly kind: 'drop';
      readonly reason: Dhcp6DropReason;
      readonly detail: string;
      readonly request?: Dhcp6Request;
    };

/** What to boot has to be known before there is an answer. */
export interface Dhcp6Question {
  readonly kind: 'question';
  readonly request: Dhcp6Request;
  readonly boot: BootRequest;
  readonly subnet: string;
  answer(decision: BootDecision): Dhcp6Outcome;
}

export type Dhcp6DropReason =
  | 'malformed'
  | 'not-a-request'
  | 'too-many-associations'
  | 'unknown-network'
  | 'unknown-relay'
  | 'unserved-type'
  | 'no-client-id'
  | 'unwanted-server-id'
  | 'another-server'
  | 'unicast'
  | 'not-booting'
  | 'unknown-lease'
  | 'no-addresses'
  | 'rate-limit'
  | 'undecided'
  | 'reply-too-large';
