import { decodeTftp, encodeTftp, encodeTftpData, TftpErrorCode, tftpError, tftpOack } from '@ingot/wire';
import type { Clock, Datagram, Network, Timer } from '@ingot/net';
import { transferTerms, type TftpContent, type TftpEngine, type TftpJob, type TftpTransfer } from './engine.ts';
import { Step, TransferState, type TftpResult } from './transfer-state.ts';

const BLOCK_NUMBERS = 65_536;

/** Read at once: a system call for every block would cost as much as sending it. */
const READ_AHEAD_BYTES = 65_536;

export interface NodeEngineOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Answer from the listener itself, not from a port for each transfer: for the sake of NAT and firewalls. */
  readonly singlePort: boolean;
}

/** The engine that needs nothing but a `Network`: a socket for each transfer, whose port is its identity (RFC 1350 §4). */
export function nodeEngine({ network, clock, singlePort }: NodeEngineOptions): TftpEngine {
  const transfers = new Set<TftpTransfer>();
  return {
    name: 'node',
    sharesPort: false,
    start: async (job) => {
      if (singlePort) {
        const transfer = runTransfer(clock, job, (data) => job.listener.send(data, job.peer));
        return follow(transfer);
      }
      const socket = await network.bindUdp({
        address: job.listener.address.address,
        port: 0,
        ...(job.device === undefined ? {} : { interface: job.device }),
      });
      const transfer = runTransfer(clock, job, (data) => socket.send(data, job.peer));
      socket.onDatagram(({ data, source }: Datagram) => {
        if (source.address === job.peer.address && source.port === job.peer.port) return transfer.receive(data);
        // RFC 1350 §4: "an error packet should be sent to the source of the incorrect packet" — but not for an error.
        const stray = decodeTftp(data);
        if (!stray.ok || stray.value.kind === 'error') return;
        socket.send(encodeTftp(tftpError(TftpErrorCode.UNKNOWN_TRANSFER_ID, 'unknown transfer')), source).catch(ignore);
      });
      void transfer.ended.then(() => socket.close());
      return follow(transfer);
    },
    stop: async () => {
      const running = [...transfers];
      for (const transfer of running) transfer.stop();
      await Promise.all(running.map(({ ended }) => ended));
    },
  };

  function follow(transfer: TftpTransfer): TftpTransfer {
    transfers.add(transfer);
    void transfer.ended.then(() => transfers.delete(transfer));
    return transfer;
  }
}

function runTransfer(clock: Clock, job: TftpJob, send: (data: Uint8Array) => Promise<void>): TftpTransfer {
  const { terms } = job;
  const read = readAhead(job.content);
  const { blksize } = terms;
  const { promise: ended, resolve } = Promise.withResolvers<TftpResult>();
  let timer: Timer | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  const state = new TransferState(transferTerms(job), job.content.sizeBytes, clock.monotonic());

  const transmit = (data: Uint8Array): void => {
    // What the network refuses is as good as lost: the timer sends it again.
    send(data).catch(ignore);
  };
  const sendWindow = (): void => {
    let { from } = state;
    if (from === 0) {
      transmit(encodeTftp(tftpOack(terms.accepted)));
      from = 1;
    }
    if (from > state.until) return;
    for (let block = from; block <= state.until; block += 1)
      transmit(encodeTftpData(block % BLOCK_NUMBERS, read((block - 1) * blksize, blksize)));
  };
  const follow = (step: Step): void => {
    if (step === Step.END) {
      timer?.cancel();
      const { parting, result } = state;
      if (parting === undefined) return resolve(result);
      // The end closes the socket, and with it what has not left yet.
      void send(encodeTftp(tftpError(parting.code, parting.message)))
        .catch(ignore)
        .then(() => resolve(result));
      return;
    }
    if (step === Step.SEND) sendWindow();
    // A timer that fires early looks again; one for every ACK would cost more than the packet.
    if (timer !== undefined && timerAt <= state.wakeAt) return;
    timer?.cancel();
    timerAt = state.wakeAt;
    timer = clock.setTimeout(onTime, Math.max(0, timerAt - clock.monotonic()));
  };
  const onTime = (): void => {
    timer = undefined;
    const now = clock.monotonic();
    if (state.end === undefined) follow(now < state.wakeAt ? Step.WAIT : state.onTime(now));
  };
  follow(Step.SEND);
  return {
    ended,
    stop: () => follow(state.fail('stopped', 'the server stops')),
    supersede: () => follow(state.supersede()),
    displace: () => follow(state.displace()),
    receive: (data) => {
      const decoded = decodeTftp(data);
      if (!decoded.ok || state.end !== undefined) return;
      const packet = decoded.value;
      if (packet.kind === 'ack') {
        const wasHeard = state.isHeard;
        follow(state.onAck(packet.block, clock.monotonic()));
        if (!wasHeard && state.isHeard) job.onHeard?.();
      } else if (packet.kind === 'error') follow(state.onError(packet.code, packet.message));
    },
  };
}

/** `content.read` in large pieces. */
function readAhead(content: TftpContent): (position: number, length: number) => Uint8Array {
  let start = 0;
  let piece: Uint8Array = new Uint8Array();
  return (position, length) => {
    const end = Math.min(position + length, content.sizeBytes);
    if (position < start || end > start + piece.byteLength) {
      start = position;
      piece = content.read(position, Math.max(length, READ_AHEAD_BYTES));
    }
    return piece.subarray(position - start, end - start);
  };
}

function ignore(): void {
  // Nobody to tell.
}
