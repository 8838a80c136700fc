import {
  cleanFilename,
  decodeTftp,
  encodeTftp,
  TFTP_PORT,
  TftpErrorCode,
  tftpError,
  tftpMode,
  type TftpRequest,
} from '@ingot/wire';
import type { Clock, Datagram, Endpoint, Network, UdpSocket } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { TftpConfig } from '../config/tftp.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import { parseBootFilePath } from '../decide/decision.ts';
import { RASPBERRY_PI_OUIS, type QuirkEffect } from '../decide/quirks.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { bindPlaces, type ListenPlace } from '../listen/listen-place.ts';
import type { UdpServer } from '../listen/udp-server.ts';
import type { BootMetrics } from '../metrics.ts';
import type { PublishedClient, PublishedContent } from '../published/published-content.ts';
import type { TftpContent, TftpEngine } from './engine.ts';
import { failureLog, type FailureLog } from './failure-log.ts';
import { negotiate } from './negotiation.ts';
import { nodeEngine } from './node-engine.ts';
import { pathBlksize, type PathMtu } from './path-mtu.ts';
import { Sessions, type Session } from './sessions.ts';
import type { TftpResult } from './transfer-state.ts';

/** What sends, and how large its packets may be. */
export interface TftpPath {
  readonly engine: TftpEngine;
  readonly pathMtu: PathMtu;
}

export interface TftpServerComponents extends TftpPath {
  readonly network: Network;
  readonly clock: Clock;
  readonly config: TftpConfig;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly artifacts: ArtifactStore;
  readonly published: PublishedContent;
  /** Who leased this address here, for the log. */
  readonly macOf: (address: string) => string | undefined;
  /** The machine that this NIC said to belong to, for the log. */
  readonly uuidOf: (mac: string) => string | undefined;
  /** What the firmware of this NIC needs otherwise. */
  readonly quirksOf: (mac: string) => QuirkEffect;
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
    throw new BootServerError(
      BootServerErrorCode.ListenFailed,
      `TFTP: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
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

interface Running extends TftpServerComponents {
  /** Sends from port 69, for those who need that. */
  readonly fromListener: TftpEngine;
  readonly warn: FailureLog;
  isStopping: boolean;
}

/** Where a request came to. */
interface Listener {
  readonly socket: UdpSocket;
  /** The interface that it is bound to. */
  readonly device: string | undefined;
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
    return sendError(listener.socket, source, TftpErrorCode.ACCESS_VIOLATION, 'this server only reads');
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
    .then(() => (session.isStopping ? undefined : serve(components, sessions, session, packet, source, listener)))
    .catch((error: unknown) => {
      metrics.drop('tftp', 'internal');
      log.error({ err: error, source: source.address }, 'a TFTP request could not be answered');
    })
    .finally(() => sessions.remove(session));
}

async function serve(
  components: Running,
  sessions: Sessions,
  session: Session,
  request: TftpRequest,
  peer: Endpoint,
  listener: Listener,
): Promise<void> {
  const { socket, device } = listener;
  const { config, clock, log, metrics } = components;
  const name = cleanFilename(request.filename).replaceAll('\\', '/').replace(/^\/+/, '');
  const { mac: namedMac, file } = parseBootFilePath(name);
  const who = { ...whoseIs(components, peer.address, namedMac), file };
  const { mac } = who;
  const refuse = (code: number, reason: string, message: string): void => {
    metrics.drop('tftp', reason);
    metrics.stage('tftp.failed');
    components.warn(peer.address, { ...who, event: 'tftp.failed', cause: reason }, `TFTP: ${message}`);
    sendError(socket, peer, code, message);
  };
  const quirks = mac === undefined ? {} : components.quirksOf(mac);
  if (tftpMode(request) !== 'octet') return refuse(TftpErrorCode.NOT_DEFINED, 'bad-mode', 'ask in octet mode');
  const found = await open(components, file, { mac, source: peer.address });
  if (!found.ok && found.reason === 'unknown-file' && isProbe(file, mac)) {
    // It tries name after name: none of them is a boot that fails.
    metrics.drop('tftp', 'unknown-file');
    log.debug({ ...who, event: 'tftp.probe' }, `TFTP: ${file} is not there`);
    return sendError(socket, peer, found.code, found.message);
  }
  if (!found.ok) return refuse(found.code, found.reason, found.message);
  using content = found.content;
  const local = socket.address.address;
  const terms = negotiate(request, content.sizeBytes, {
    blksize: config.maxBlksize ?? pathBlksize(components.pathMtu, local, peer.address),
    windowsize: Math.min(config.maxWindowsize, quirks.maxWindowsize ?? config.maxWindowsize),
  });
  const isSinglePort = config.singlePort || quirks.singlePort === true;
  session.isSinglePort = isSinglePort;
  const { engine: chosen } = components;
  const engine = isSinglePort && !chosen.sharesPort ? components.fromListener : chosen;
  const startedAt = clock.monotonic();
  metrics.stage('tftp.start');
  const { blksize, windowsize } = terms;
  log.info({ ...who, event: 'tftp.start', bytes: content.sizeBytes, blksize, windowsize }, `TFTP ${file}`);
  const transfer = await engine.start({
    listener: socket,
    device,
    peer,
    content,
    terms,
    deadlineMs: config.maxTransferMinutes * 60_000,
    minBytesPerSecond: config.minBytesPerSecond,
    onStray: (datagram) => receive(components, sessions, datagram, listener),
    onHeard: () => sessions.heard(session),
  });
  session.transfer = transfer;
  if (session.isStopping) transfer.stop();
  report(components, who, await transfer.ended, Math.round(clock.monotonic() - startedAt));
}

/** For the log: the machine that is named, or that leased this address here. */
function whoseIs(
  { macOf, uuidOf }: TftpServerComponents,
  source: string,
  named?: string,
): { readonly mac: string | undefined; readonly uuid: string | undefined; readonly source: string } {
  const mac = named ?? macOf(source);
  return { mac, uuid: mac === undefined ? undefined : uuidOf(mac), source };
}

/**
 * A name that some firmware only looks for: Raspberry Pi's `<serial>/start4.elf`; U-Boot's script, its device tree, and
 * pxelinux.cfg for each of many keys; GRUB's lists of modules that it has built in, and HTTP before it takes TFTP.
 */
function isProbe(file: string, mac: string | undefined): boolean {
  if (mac !== undefined && RASPBERRY_PI_OUIS.includes(mac.slice(0, 8))) return true;
  return /^(?:[0-9a-f]{8}\/|boot(?:code|sig)\.bin$|boot\.scr(?:\.uimg)?$|dtb\/|(?:.*\/)?pxelinux\.cfg\/|grub\/[\w-]+\/(?:\w+\.lst|http\.mod|grub\.cfg)$)/i.test(
    file,
  );
}

function report(
  { log, metrics, warn }: Running,
  who: { readonly mac: string | undefined; readonly file: string; readonly source: string },
  result: TftpResult,
  ms: number,
): void {
  const { end, bytes, retransmissions } = result;
  switch (end.kind) {
    case 'done':
      metrics.stage('tftp.done');
      metrics.transferred('tftp', bytes, ms);
      log.info(
        { ...who, event: 'tftp.done', bytes, ms, retransmissions, confirmed: end.confirmed },
        `TFTP ${who.file} done`,
      );
      return;
    case 'probed':
      log.info({ ...who, event: 'tftp.probed', ms }, `TFTP ${who.file}: the client asked for its size`);
      return;
    case 'failed':
      metrics.stage('tftp.failed');
      warn(
        who.source,
        { ...who, event: 'tftp.failed', cause: end.cause, bytes, ms, retransmissions },
        `TFTP ${who.file}: ${end.detail}`,
      );
      return;
    default:
      return end satisfies never;
  }
}

type Opened =
  | { readonly ok: true; readonly content: TftpContent & Disposable }
  | { readonly ok: false; readonly code: number; readonly reason: string; readonly message: string };

async function open(components: Running, file: string, client: PublishedClient): Promise<Opened> {
  const published = await components.published.open(file, client);
  if (published === undefined)
    return {
      ok: false,
      code: TftpErrorCode.FILE_NOT_FOUND,
      reason: 'unknown-file',
      message: 'no such file is published',
    };
  if (published.kind === 'text') return { ok: true, content: textContent(published.text) };
  try {
    return { ok: true, content: await components.artifacts.get(published.uri, published) };
  } catch (error) {
    const isRefused = error instanceof BootServerError && error.code === BootServerErrorCode.ArtifactRefused;
    const words = error instanceof Error ? error.message : String(error);
    components.warn(client.source, { err: error, file }, `${file} cannot be served: ${words}`);
    if (isRefused)
      return {
        ok: false,
        code: TftpErrorCode.ACCESS_VIOLATION,
        reason: 'file-refused',
        message: 'this file may not be read',
      };
    return {
      ok: false,
      code: TftpErrorCode.FILE_NOT_FOUND,
      reason: 'file-unavailable',
      message: 'this file cannot be read',
    };
  }
}

function textContent(text: string): TftpContent & Disposable {
  const bytes = Buffer.from(text);
  return {
    sizeBytes: bytes.byteLength,
    fd: undefined,
    read: (position, length) => bytes.subarray(position, position + length),
    [Symbol.dispose]: () => undefined,
  };
}

function sendError(socket: UdpSocket, peer: Endpoint, code: number, message: string): void {
  socket.send(encodeTftp(tftpError(code, message)), peer).catch(() => undefined);
}
