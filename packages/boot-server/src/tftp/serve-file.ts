import { cleanFilename, TftpErrorCode, tftpMode, type TftpRequest } from '@ingot/wire';
import type { Clock, Datagram, Endpoint } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { TftpConfig } from '../config/tftp.ts';
import { parseBootFilePath } from '../decide/decision.ts';
import type { QuirkEffect } from '../decide/quirks.ts';
import type { BootMetrics } from '../metrics.ts';
import type { TftpEngine, TftpPath } from './engine.ts';
import { sendError, type Listener } from './listener.ts';
import { negotiate } from './negotiation.ts';
import { openContent, type OpenComponents } from './open-content.ts';
import { pathBlksize } from './path-mtu.ts';
import { isProbe } from './probe.ts';
import type { Session } from './sessions.ts';
import type { TftpResult } from './transfer-state.ts';

/** Who a client is, for the log. */
export interface ClientNames {
  /** Who leased this address here. */
  readonly macOf: (address: string) => string | undefined;
  /** The machine that this NIC said to belong to. */
  readonly uuidOf: (mac: string) => string | undefined;
}

export interface ServeFileComponents extends TftpPath, OpenComponents, ClientNames {
  readonly clock: Clock;
  readonly config: TftpConfig;
  readonly log: Logger;
  readonly metrics: BootMetrics;
  /** What the firmware of this NIC needs otherwise. */
  readonly quirksOf: (mac: string) => QuirkEffect;
  /** Sends from port 69, for those who need that. */
  readonly fromListener: TftpEngine;
}

/** A client's question for a file, with the session that it began. */
export interface ReadQuestion {
  readonly request: TftpRequest;
  readonly peer: Endpoint;
  readonly listener: Listener;
  readonly session: Session;
  /** The client has acknowledged something: it is no invented address. */
  readonly onHeard: () => void;
  /** What the engine hears at the listener's port, for no transfer of its own. */
  readonly onStray: (datagram: Datagram) => void;
}

/** Sends one file, or says why not; resolves at the transfer's end. Rejects with NetError when there is no socket for it. */
export async function serveFile(components: ServeFileComponents, question: ReadQuestion): Promise<void> {
  const { request, peer, listener, session, onHeard, onStray } = question;
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
    sendError(listener, peer, code, message);
  };
  const quirks = mac === undefined ? {} : components.quirksOf(mac);
  if (tftpMode(request) !== 'octet') return refuse(TftpErrorCode.NOT_DEFINED, 'bad-mode', 'ask in octet mode');
  const found = await openContent(components, file, { mac, source: peer.address });
  if (!found.ok && found.reason === 'unknown-file' && isProbe(file, mac)) {
    // It tries name after name: none of them is a boot that fails.
    metrics.drop('tftp', 'unknown-file');
    log.debug({ ...who, event: 'tftp.probe' }, `TFTP: ${file} is not there`);
    return sendError(listener, peer, found.code, found.message);
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
    onStray,
    onHeard,
  });
  session.transfer = transfer;
  // A file from afar may take longer than a client waits: what it asks once more meanwhile is no other question.
  session.startedAt = clock.monotonic();
  if (session.isStopping) transfer.stop();
  report(components, who, await transfer.ended, Math.round(clock.monotonic() - startedAt));
}

/** For the log: the machine that is named, or that leased this address here. */
export function whoseIs(
  { macOf, uuidOf }: ClientNames,
  source: string,
  named?: string,
): { readonly mac: string | undefined; readonly uuid: string | undefined; readonly source: string } {
  const mac = named ?? macOf(source);
  return { mac, uuid: mac === undefined ? undefined : uuidOf(mac), source };
}

function report(
  { log, metrics, warn }: ServeFileComponents,
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
