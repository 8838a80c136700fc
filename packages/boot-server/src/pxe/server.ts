import { macOfDhcpBytes, MessageType, PXE_SERVER_PORT, type Ipv4 } from '@ingot/wire';
import type { Datagram, Network, UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootDecider } from '../decide/boot-decider.ts';
import { loadTarget, type BootDecision } from '../decide/decision.ts';
import { bootFields } from '../dhcp/boot-fields.ts';
import { pxeReply } from '../dhcp/reply.ts';
import { parseDhcpRequest, type DhcpRequest } from '../dhcp/request.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { bindPlaces, type ListenPlace } from '../listen/listen-place.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import type { BootMetrics } from '../metrics.ts';
import type { SightingStore } from '../store/sightings.ts';

export interface PxeServerComponents {
  readonly network: Network;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly sightings: SightingStore;
  readonly decide: BootDecider;
  /** The own address under which the machine at this address reaches the server: its network may have one of its own. */
  readonly serverFor: (client: Ipv4) => Ipv4;
  /** Who leased this address here, for the log. */
  readonly macOf: (address: string) => string | undefined;
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
export async function answerPxe(
  data: Uint8Array,
  components: Pick<PxeServerComponents, 'decide' | 'serverFor' | 'sightings'>,
): Promise<PxeOutcome> {
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
  components.sightings.saw(request.mac, request.boot.uuid);
  return { kind: 'reply', data: encoded.value, request, boot };
}

/** Listens on port 4011. Rejects with BootServerError LISTEN_FAILED. */
export async function startPxeServer(
  components: PxeServerComponents,
  places: readonly ListenPlace[],
): Promise<UdpServer> {
  const { network, log } = components;
  const sockets: UdpSocket[] = [];
  try {
    for (const { place, socket } of await bindPlaces(network, places, { port: PXE_SERVER_PORT })) {
      socket.onError((error) => log.warn({ ...place, err: error }, 'PXE socket'));
      socket.onDatagram((datagram) => void receive(components, datagram, socket));
      sockets.push(socket);
    }
  } catch (cause) {
    throw new BootServerError(BootServerErrorCode.ListenFailed, `PXE: ${wordsOf(cause)}`, cause);
  }
  return {
    stop: async () => {
      await Promise.all(sockets.map((socket) => socket.close()));
    },
  };
}

async function receive(components: PxeServerComponents, datagram: Datagram, socket: UdpSocket): Promise<void> {
  const { log, metrics } = components;
  try {
    const outcome = await answerPxe(datagram.data, components);
    if (outcome.kind === 'drop') {
      metrics.drop('pxe', outcome.reason);
      const source = datagram.source.address;
      const mac = outcome.request?.mac ?? macOfDhcpBytes(datagram.data) ?? components.macOf(source);
      const uuid = outcome.request?.boot.uuid;
      log.debug(
        { mac, uuid, event: 'pxe.dropped', reason: outcome.reason, source },
        `no PXE answer: ${outcome.detail}`,
      );
      return;
    }
    const { boot, mac } = outcome.request;
    const who = { mac, uuid: boot.uuid };
    // From 68 or from 4011 (EDK2): the answer goes where the question came from, also through routers.
    socket.send(outcome.data, datagram.source).catch((error: unknown) => {
      metrics.drop('pxe', 'send-failed');
      log.warn({ ...who, event: 'pxe.send-failed', err: error }, 'a PXE answer could not be sent');
    });
    metrics.stage('pxe.ack');
    log.info({ ...who, event: 'pxe.ack', boot: outcome.boot.kind, loads: loadTarget(outcome.boot) }, 'PXE ack');
  } catch (error) {
    metrics.drop('pxe', 'internal');
    const { data, source } = datagram;
    log.error(
      { event: 'pxe.dropped', reason: 'internal', mac: macOfDhcpBytes(data), err: error, source: source.address },
      'a PXE packet could not be answered',
    );
  }
}
