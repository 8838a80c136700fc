import { decodeTftp, TFTP_PORT, TftpErrorCode } from '@ingot/wire';
import type { Datagram, Network, UdpSocket } from '@ingot/net';
import { wordsOf } from '../error-words.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { bindPlaces, type ListenPlace } from '../listen/listen-place.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import { failureLog } from './failure-log.ts';
import { sendError, type Listener } from './listener.ts';
import { nodeEngine } from './node-engine.ts';
import { serveFile, whoseIs, type ServeFileComponents } from './serve-file.ts';
import { Sessions, type Session } from './sessions.ts';

export interface TftpServerComponents extends Omit<ServeFileComponents, 'warn' | 'fromListener'> {
  readonly network: Network;
}

export interface TftpServer extends UdpServer {
  readonly transfers: number;
}

/** A request from the port of a transfer that is older: the client was restarted, and uses its ports again. */
const RESTARTED_AFTER_MS = 5_000;

/** Serves published files by TFTP, read only. Rejects with BootServerError LISTEN_FAILED. */
export async function startTftpServer(
  components: TftpServerComponents,
  places: readonly ListenPlace[],
): Promise<TftpServer> {
  const { network, clock, log } = components;
  const sockets: UdpSocket[] = [];
  const sessions = new Sessions();
  const running: Running = {
    ...components,
    // A getter of the caller's: it changes when the configuration does.
    get config() {
      return components.config;
    },
    fromListener: nodeEngine({ network, clock, singlePort: true }),
    warn: failureLog(components),
    isStopping: false,
  };
  try {
    const shares = components.engine.sharesPort;
    for (const { place, socket } of await bindPlaces(network, places, { port: TFTP_PORT, shares })) {
      socket.onError((error) => log.warn({ ...place, err: error }, 'TFTP socket'));
      const listener = { socket, device: place.interface };
      socket.onDatagram((datagram) => receive(running, sessions, datagram, listener));
      sockets.push(socket);
    }
  } catch (cause) {
    throw new BootServerError(BootServerErrorCode.ListenFailed, `TFTP: ${wordsOf(cause)}`, cause);
  }
  return {
    get transfers() {
      return sessions.size;
    },
    stop: async () => {
      // What the engine hears at a shared port comes to the very end.
      running.isStopping = true;
      // In single-port mode the last words to the clients leave through these sockets: they close last.
      for (const session of sessions) {
        session.isStopping = true;
        session.transfer?.stop();
      }
      await Promise.all([...sessions].map((session) => session.ended));
      await Promise.all(sockets.map((socket) => socket.close()));
    },
  };
}

interface Running extends ServeFileComponents {
  isStopping: boolean;
}

function receive(components: Running, sessions: Sessions, datagram: Datagram, listener: Listener): void {
  const { log, metrics } = components;
  const { source } = datagram;
  if (components.isStopping) return;
  const drop = (reason: string): void => {
    metrics.drop('tftp', reason);
    log.debug({ ...whoseIs(components, source.address), event: 'tftp.dropped', reason }, 'no TFTP answer');
  };
  const decoded = decodeTftp(datagram.data);
  if (!decoded.ok) return drop('malformed');
  const packet = decoded.value;
  if (packet.kind === 'wrq') {
    drop('write-refused');
    return sendError(listener, source, TftpErrorCode.ACCESS_VIOLATION, 'this server only reads');
  }
  const key = `${source.address}:${source.port}`;
  const running = sessions.get(key);
  if (packet.kind !== 'rrq') {
    // Answering an ERROR, or anything else that is no request, could go on for ever.
    if (running?.transfer === undefined || !running.isSinglePort) return drop('not-a-request');
    return running.transfer.receive(datagram.data);
  }
  const now = components.clock.monotonic();
  if (running !== undefined) {
    const isSame = Buffer.compare(running.request, datagram.data) === 0;
    const isYoung = now - running.startedAt < RESTARTED_AFTER_MS;
    // The client did not see the answer yet; the transfer's own timer repeats that.
    if (running.transfer === undefined || (isSame && isYoung)) return drop('repeated-request');
    running.transfer.supersede();
  } else {
    const { maxTransfers, maxTransfersPerClient } = components.config;
    // Silence, not an error: the client asks again, and there may be room by then.
    if (sessions.countOf(source.address) >= maxTransfersPerClient) return drop('too-many-transfers');
    // Requests from invented addresses are never acknowledged, and would fill all places for half a minute each.
    if (sessions.size >= maxTransfers && !sessions.displaceOldest()) return drop('too-many-transfers');
  }

  const session: Session = {
    key,
    client: source.address,
    startedAt: now,
    request: datagram.data,
    transfer: undefined,
    isStopping: false,
    isSinglePort: components.config.singlePort,
    ended: Promise.resolve(),
  };
  sessions.add(session);
  session.ended = (running?.ended ?? Promise.resolve())
    .then(() => {
      if (session.isStopping) return undefined;
      const onHeard = (): void => sessions.heard(session);
      const onStray = (stray: Datagram): void => receive(components, sessions, stray, listener);
      return serveFile(components, { request: packet, peer: source, listener, session, onHeard, onStray });
    })
    .catch((error: unknown) => {
      metrics.drop('tftp', 'internal');
      log.error({ err: error, source: source.address }, 'a TFTP request could not be answered');
    })
    .finally(() => sessions.remove(session));
}
