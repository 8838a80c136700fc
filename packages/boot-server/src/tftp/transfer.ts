import { decodeTftp, encodeTftp, encodeTftpData, TftpErrorCode, tftpError, tftpOack } from '@ingot/wire';
import type { Clock, Datagram, Endpoint, Timer, UdpSocket } from '@ingot/net';
import type { TftpTerms } from './negotiation.ts';
import { retransmissionTimer } from './retransmission-timer.ts';

/** How a transfer ended. */
export type TftpEnd =
  | {
      readonly kind: 'done';
      /** False when the last ACK never came, which many a ROM leaves out. */ readonly confirmed: boolean;
    }
  /** The client wanted to know the size only: EDK2 ends that with ERROR 8 after the OACK. */
  | { readonly kind: 'probed' }
  | { readonly kind: 'failed'; readonly cause: 'no-answer' | 'client-error' | 'stopped'; readonly detail: string };

export interface TftpResult {
  readonly end: TftpEnd;
  /** Of the file, that the client has acknowledged. */
  readonly bytes: number;
  readonly retransmissions: number;
}

export interface TftpTransfer {
  /** Tells the client and ends. */
  stop(): void;
}

/** Waits in vain, one after the other, until the client counts as gone: 1 + 2 + 4 + 8 + 8 s. */
const MAX_EXPIRIES = 5;
const BLOCK_NUMBERS = 65_536;

/**
 * Sends `bytes` to `peer` through a socket of its own (RFC 1350 §4: the port is the transfer's identity). Blocks are
 * counted without end here and on the wire modulo 65536, so that files may exceed 65535 blocks. Calls `onEnd` once.
 */
export function startTransfer(
  components: { clock: Clock; socket: UdpSocket; peer: Endpoint; bytes: Uint8Array; terms: TftpTerms },
  onEnd: (result: TftpResult) => void,
): TftpTransfer {
  const { clock, socket, peer, bytes, terms } = components;
  const timer = retransmissionTimer(terms.timeoutMs);
  // The last block is the first short one, an empty one if need be.
  const lastBlock = Math.floor(bytes.byteLength / terms.blksize) + 1;
  /** ACKed up to here; the OACK, if there is one, is block 0. */
  let acknowledged = terms.accepted.length > 0 ? -1 : 0;
  let highestSent = acknowledged;
  let sentAt = 0;
  let wasResent = false;
  let resentFor: number | undefined;
  let expiries = 0;
  let retransmissions = 0;
  let pending: Timer | undefined;
  let isOver = false;

  const transmit = (data: Uint8Array, target: Endpoint = peer): void => {
    // What the network refuses is as good as lost: the timer sends it again.
    socket.send(data, target).catch(() => undefined);
  };
  const finish = (end: TftpEnd): void => {
    if (isOver) return;
    isOver = true;
    pending?.cancel();
    const confirmedBytes = Math.min(bytes.byteLength, Math.max(0, acknowledged) * terms.blksize);
    onEnd({ end, bytes: end.kind === 'done' ? bytes.byteLength : confirmedBytes, retransmissions });
  };
  const fail = (code: number, cause: 'no-answer' | 'client-error' | 'stopped', detail: string): void => {
    if (isOver) return;
    transmit(encodeTftp(tftpError(code, detail)));
    finish({ kind: 'failed', cause, detail });
  };
  const sendWindow = (): void => {
    if (acknowledged < 0) {
      transmit(encodeTftp(tftpOack(terms.accepted)));
      highestSent = 0;
    } else {
      const until = Math.min(acknowledged + terms.windowsize, lastBlock);
      for (let block = acknowledged + 1; block <= until; block += 1) {
        const start = (block - 1) * terms.blksize;
        transmit(encodeTftpData(block % BLOCK_NUMBERS, bytes.subarray(start, start + terms.blksize)));
      }
      highestSent = until;
    }
    sentAt = clock.monotonic();
    pending?.cancel();
    pending = clock.setTimeout(onExpiry, timer.waitMs);
  };
  const onExpiry = (): void => {
    expiries += 1;
    if (expiries >= MAX_EXPIRIES) {
      // RFC 1350 §6: whether the last block arrived is all that a missing last ACK leaves open.
      if (acknowledged >= 0 && highestSent === lastBlock) return finish({ kind: 'done', confirmed: false });
      return fail(TftpErrorCode.NOT_DEFINED, 'no-answer', 'no acknowledgement');
    }
    timer.expired();
    wasResent = true;
    retransmissions += 1;
    sendWindow();
  };
  const onAck = (wireBlock: number): void => {
    const from = Math.max(acknowledged, 0);
    const ahead = (wireBlock - (from % BLOCK_NUMBERS) + BLOCK_NUMBERS) % BLOCK_NUMBERS;
    const block = from + ahead;
    if (block > highestSent) return;
    if (block === acknowledged) {
      // An ACK for nothing new. In lockstep it is a duplicate: answering it would double every packet from here on
      // (RFC 1123 §4.2.3.1). In a window it says that the first block was lost (RFC 7440 §4); once is enough.
      if (terms.windowsize === 1 || resentFor === block) return;
      resentFor = block;
      wasResent = true;
      retransmissions += 1;
      sendWindow();
      return;
    }
    if (!wasResent) timer.measured(clock.monotonic() - sentAt);
    timer.progressed();
    wasResent = false;
    expiries = 0;
    acknowledged = block;
    if (acknowledged === lastBlock) finish({ kind: 'done', confirmed: true });
    else sendWindow();
  };
  const receive = ({ data, source }: Datagram): void => {
    if (isOver) return;
    if (source.address !== peer.address || source.port !== peer.port) {
      // RFC 1350 §4: "an error packet should be sent to the source of the incorrect packet" — but not for an error.
      const stray = decodeTftp(data);
      if (stray.ok && stray.value.kind !== 'error')
        transmit(encodeTftp(tftpError(TftpErrorCode.UNKNOWN_TRANSFER_ID, 'unknown transfer')), source);
      return;
    }
    const decoded = decodeTftp(data);
    if (!decoded.ok) return;
    const packet = decoded.value;
    if (packet.kind === 'ack') onAck(packet.block);
    else if (packet.kind === 'error') {
      const isProbe =
        acknowledged < 0 && (packet.code === TftpErrorCode.OPTION_REFUSED || packet.code === TftpErrorCode.NOT_DEFINED);
      // oxlint-disable-next-line no-control-regex -- keeps the client's text from drawing on the log
      const words = packet.message.replace(/[^\u0020-\u007e]/g, '?').slice(0, 128);
      finish(
        isProbe
          ? { kind: 'probed' }
          : { kind: 'failed', cause: 'client-error', detail: `client says error ${packet.code}: ${words}` },
      );
    }
  };
  socket.onDatagram(receive);
  sendWindow();
  return { stop: () => fail(TftpErrorCode.NOT_DEFINED, 'stopped', 'the server stops') };
}
