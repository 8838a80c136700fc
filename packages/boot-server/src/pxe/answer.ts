import { MessageType, type Ipv4 } from '@ingot/wire';
import type { BootDecider } from '../decide/boot-decider.ts';
import type { BootDecision } from '../decide/decision.ts';
import { bootFields } from '../dhcp/boot-fields.ts';
import { pxeReply } from '../dhcp/reply.ts';
import { parseDhcpRequest, type DhcpRequest } from '../dhcp/request.ts';
import { BootServerError } from '../errors.ts';
import type { SightingStore } from '../store/sightings.ts';

export interface AnswerPxeComponents {
  readonly sightings: SightingStore;
  readonly decide: BootDecider;
  /** The own address under which the machine at this address reaches the server: its network may have one of its own. */
  readonly serverFor: (client: Ipv4) => Ipv4;
}

export type PxeOutcome =
  | { readonly kind: 'reply'; readonly data: Uint8Array; readonly request: DhcpRequest; readonly boot: BootDecision }
  | {
      readonly kind: 'drop';
      readonly reason: string;
      readonly detail: string;
      /** Undefined where it cannot be read. */
      readonly request?: DhcpRequest;
    };

/** Answers one datagram on port 4011 (PXE specification 2.1, §2.2.3). */
export async function answerPxe(data: Uint8Array, components: AnswerPxeComponents): Promise<PxeOutcome> {
  const parsed = parseDhcpRequest(data);
  if (!parsed.ok) return { kind: 'drop', reason: parsed.reason, detail: parsed.detail };
  const request = parsed.value;
  // EDK2 and BIOS ROMs send REQUEST; the specification's word is "DHCPREQUEST or DHCPINFORM".
  if (request.type !== MessageType.REQUEST && request.type !== MessageType.INFORM) {
    return { kind: 'drop', reason: 'unserved-type', detail: `type ${request.type}`, request };
  }
  let boot: BootDecision;
  try {
    // No relay has touched this packet: its port, and its reservation, are those of the DISCOVER before it.
    const nowhere = { circuitId: undefined, remoteId: undefined, subnet: undefined, hostname: undefined };
    boot = await components.decide({ ...request.boot, ...nowhere });
  } catch (error) {
    if (!(error instanceof BootServerError)) throw error;
    return { kind: 'drop', reason: 'undecided', detail: error.message, request };
  }
  const serverId = components.serverFor(request.packet.ciaddr);
  const fields = bootFields(boot, 'pxe', serverId);
  if (fields === undefined) {
    return {
      kind: 'drop',
      reason: boot.kind === 'ignore' ? boot.reason : 'unserved-type',
      detail: `nothing to boot for ${request.mac}`,
      request,
    };
  }
  const encoded = pxeReply(request, { serverId, boot: fields });
  if (!encoded.ok) return { kind: 'drop', reason: 'reply-too-large', detail: encoded.reason, request };
  components.sightings.sawBeside(request.mac, request.boot.uuid);
  components.sightings.flush();
  return { kind: 'reply', data: encoded.value, request, boot };
}
