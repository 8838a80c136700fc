import { macOfDhcpBytes, PXE_SERVER_PORT } from '@ingot/wire';
import type { Datagram, Network, UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import { loadTarget } from '../decide/decision.ts';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { bindPlaces, type ListenPlace } from '../listen/listen-place.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import type { BootMetrics } from '../metrics.ts';
import { answerPxe, type AnswerPxeComponents } from './answer.ts';

export interface PxeServerComponents extends AnswerPxeComponents {
  readonly network: Network;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  /** Who leased this address here, for the log. */
  readonly macOf: (address: string) => string | undefined;
}

/** Whose decision is awaited. Beyond it nobody's is: firmware asks again after some seconds. */
const MAX_WAITING = 4_096;

/** Listens on port 4011. Rejects with BootServerError LISTEN_FAILED. */
export async function startPxeServer(
  components: PxeServerComponents,
  places: readonly ListenPlace[],
): Promise<UdpServer> {
  const { network, log, metrics } = components;
  const sockets: UdpSocket[] = [];
  let waiting = 0;
  try {
    for (const { place, socket } of await bindPlaces(network, places, { port: PXE_SERVER_PORT })) {
      socket.onError((error) => log.warn({ ...place, err: error }, 'PXE socket'));
      socket.onDatagram((datagram) => {
        if (waiting >= MAX_WAITING) return metrics.drop('pxe', 'overloaded');
        waiting += 1;
        void receive(components, datagram, socket).finally(() => (waiting -= 1));
      });
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
