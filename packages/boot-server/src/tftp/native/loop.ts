import { decodeTftp, encodeTftp, TftpErrorCode, tftpError } from '@ingot/wire';
import type { Clock, Libc } from '@ingot/net';
import { Step, TransferState } from '../transfer-state.ts';
import type { News, Order } from './messages.ts';
import { Pinned } from './pinned.ts';
import { peerKey, ReceiveBatch, RECEIVE_TIMEOUT_MS, type PeerKey } from './receive-batch.ts';
import { SendBatch, segmentsOf, type SendTarget } from './send-batch.ts';

export interface LoopComponents {
  readonly libc: Libc;
  readonly clock: Clock;
  readonly wakeFd: number;
  /** What has been ordered since the last call; most often nothing. */
  readonly orders: () => readonly Order[];
  readonly tell: (news: News) => void;
  /** How many of the strays that were told have been taken, modulo 2^32. */
  readonly straysTaken: () => number;
}

/** How exactly timers are kept; none is shorter than 300 ms. */
const TICK_MS = 10;
/** Nothing wakes the loop but packets and orders: this is for the case that one is lost. */
const IDLE_MS = 1_000;
/** Opcode 4 in the upper half of a packet's first four bytes. */
const ACK_HEAD = 4;

/** epoll(7) */
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 0x1;
const EPOLLET = 0x8000_0000;
const EPOLL_EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const EVENTS = 8;
/** Strays that wait to be taken; what comes beyond them is lost, as it is in a full socket. */
const MAX_STRAYS = 1_024;
/** Clients whose late packets are no strangers'. */
const MAX_PAST = 1_024;
const NAME_SIZE = 32;

class Transfer implements SendTarget {
  readonly id: number;
  readonly key: PeerKey;
  readonly state: TransferState;
  readonly oack: Uint8Array | undefined;
  readonly fd: number;
  readonly name: Pinned;
  readonly nameAddress: number;
  readonly nameBytes: number;
  readonly dataAddress: number;
  readonly sizeBytes: number;
  readonly blksize: number;
  segments: number;
  wasHeard = false;

  constructor(libc: Libc, order: Extract<Order, { kind: 'start' }>, now: number) {
    this.id = order.id;
    this.fd = order.fd;
    this.name = new Pinned(libc, NAME_SIZE);
    this.name.bytes.set(order.peer);
    this.nameAddress = this.name.address;
    this.nameBytes = order.peer.byteLength;
    this.key = peerKey(this.name.view, 0);
    this.oack = order.oack;
    this.dataAddress = order.dataAddress;
    this.sizeBytes = order.sizeBytes;
    this.blksize = order.terms.blksize;
    this.segments = segmentsOf(this.blksize);
    this.state = new TransferState(order.terms, order.sizeBytes, now);
  }
}

/** Runs transfers until it is told to quit. Blocks its thread. */
export function runLoop({ libc, clock, wakeFd, orders, tell, straysTaken }: LoopComponents): void {
  /** How many transfers each socket has. */
  const users = new Map<number, number>();
  /** The one socket that has all of them. */
  let only: number | undefined;
  const transfers = new Map<PeerKey, Transfer>();
  const byId = new Map<number, Transfer>();
  const received = new ReceiveBatch(libc, clock);
  const sending = new SendBatch(libc);
  const past = new Set<PeerKey>();
  /** Sockets whose strays are told. */
  const telling = new Set<number>();
  let straysTold = 0;
  const strayName = new Pinned(libc, NAME_SIZE);
  const events = Buffer.alloc(EPOLL_EVENT_BYTES * EVENTS);
  const epoll = libc.epollCreate(0);
  if (epoll < 0) throw new Error(`epoll_create1(2) fails with errno ${libc.errno()}`);
  const life = { isOver: false };
  let now = clock.monotonic();
  let nextTick = 0;

  const watch = (fd: number, interest: number): void => {
    const event = Buffer.alloc(EPOLL_EVENT_BYTES);
    event.writeUInt32LE(interest);
    event.writeInt32LE(fd, EPOLL_EVENT_BYTES - 8);
    if (libc.epollCtl(epoll, EPOLL_CTL_ADD, fd, event) < 0)
      throw new Error(`epoll_ctl(2) fails with errno ${libc.errno()}`);
  };
  // Edge-triggered: the counter need never be read.
  watch(wakeFd, (EPOLLIN | EPOLLET) >>> 0);

  const useSocket = (fd: number, difference: 1 | -1): void => {
    users.set(fd, (users.get(fd) ?? 0) + difference);
    const inUse = [...users].filter(([, number]) => number > 0);
    only = inUse.length === 1 ? inUse[0]?.[0] : undefined;
  };
  const follow = (transfer: Transfer, step: Step): void => {
    const { state } = transfer;
    if (step === Step.SEND) {
      if (state.from === 0 && transfer.oack !== undefined) sending.packet(transfer, transfer.oack);
      sending.blocks(transfer, Math.max(1, state.from), state.until);
    } else if (step === Step.END) {
      const { parting } = state;
      if (parting !== undefined) sending.packet(transfer, encodeTftp(tftpError(parting.code, parting.message)));
      // The file is unmapped as soon as the end is known.
      sending.flush();
      transfers.delete(transfer.key);
      byId.delete(transfer.id);
      useSocket(transfer.fd, -1);
      past.add(transfer.key);
      for (const oldest of past) {
        if (past.size <= MAX_PAST) break;
        past.delete(oldest);
      }
      tell({ kind: 'ended', id: transfer.id, result: state.result });
    }
  };
  const obey = (order: Order): void => {
    switch (order.kind) {
      case 'socket':
        if (order.tellsStrays) telling.add(order.fd);
        return watch(order.fd, EPOLLIN);
      case 'packet': {
        const transfer = byId.get(order.id);
        if (transfer !== undefined) hear(transfer, order.data);
        return;
      }
      case 'start': {
        const transfer = new Transfer(libc, order, clock.monotonic());
        // One client's port can ask two of our addresses; here that is one peer.
        const other = transfers.get(transfer.key);
        if (other !== undefined) follow(other, other.state.supersede());
        past.delete(transfer.key);
        transfers.set(transfer.key, transfer);
        byId.set(transfer.id, transfer);
        useSocket(transfer.fd, 1);
        return follow(transfer, Step.SEND);
      }
      case 'stop': {
        const transfer = byId.get(order.id);
        return transfer && follow(transfer, transfer.state.fail('stopped', 'the server stops'));
      }
      case 'supersede': {
        const transfer = byId.get(order.id);
        return transfer && follow(transfer, transfer.state.supersede());
      }
      case 'displace': {
        const transfer = byId.get(order.id);
        return transfer && follow(transfer, transfer.state.displace());
      }
      case 'quit':
        life.isOver = true;
        return;
      default:
        return order satisfies never;
    }
  };
  const takePacket = (fd: number, index: number): void => {
    const length = received.length(index);
    const transfer = transfers.get(received.key(index));
    if (transfer === undefined || transfer.fd !== fd) return length < 4 ? undefined : takeStray(fd, index);
    const head = received.head(index);
    if (length >= 4 && head >>> 16 === ACK_HEAD) return acknowledged(transfer, head & 0xffff);
    // A client that was restarted asks again, from the port that its transfer has.
    if (!hear(transfer, received.packet(index)) && telling.has(fd)) tellStray(fd, index);
  };
  const acknowledged = (transfer: Transfer, block: number): void => {
    follow(transfer, transfer.state.onAck(block, now));
    if (transfer.wasHeard || !transfer.state.isHeard) return;
    transfer.wasHeard = true;
    tell({ kind: 'heard', id: transfer.id });
  };
  /** False for what is no answer to the transfer. */
  const hear = (transfer: Transfer, data: Uint8Array): boolean => {
    const decoded = decodeTftp(data);
    const packet = decoded.ok ? decoded.value : undefined;
    if (packet?.kind === 'ack') acknowledged(transfer, packet.block);
    else if (packet?.kind === 'error') follow(transfer, transfer.state.onError(packet.code, packet.message));
    else return false;
    return true;
  };
  const takeStray = (fd: number, index: number): void => {
    if (!telling.has(fd)) return answerStray(fd, index);
    // The last ACK of a transfer, come twice, is nobody's business.
    if (received.head(index) >>> 16 === ACK_HEAD && past.has(received.key(index))) return;
    tellStray(fd, index);
  };
  const tellStray = (fd: number, index: number): void => {
    // Counted modulo 2^32 by both.
    if (((straysTold - straysTaken()) | 0) >= MAX_STRAYS) return;
    straysTold += 1;
    tell({ kind: 'stray', fd, data: received.packet(index).slice(), source: received.ipv4Source(index) });
  };
  const answerStray = (fd: number, index: number): void => {
    // RFC 1350 §4: "an error packet should be sent to the source of the incorrect packet" — but not for an error, and
    // not for the last ACK of a transfer, come twice.
    if (received.head(index) >>> 16 !== ACK_HEAD || past.has(received.key(index))) return;
    strayName.bytes.set(received.name(index));
    const nameBytes = strayName.view.getUint8(0) === 2 ? 16 : 28;
    sending.packet({ fd, nameAddress: strayName.address, nameBytes }, UNKNOWN_TRANSFER);
    // There is one place for the address of strangers.
    sending.flush();
  };
  const receive = (fd: number, atMost: number, waits: boolean): void => {
    const count = received.receive(fd, atMost, waits);
    now = clock.monotonic();
    for (let index = 0; index < count; index += 1) takePacket(fd, index);
    sending.flush();
  };
  const lookAtTimers = (): void => {
    nextTick = now + TICK_MS;
    for (const transfer of transfers.values())
      if (transfer.state.wakeAt <= now) follow(transfer, transfer.state.onTime(now));
    sending.flush();
  };

  while (!life.isOver) {
    for (const order of orders()) obey(order);
    sending.flush();
    if (only !== undefined) {
      // Waiting in the call that receives saves two more calls for every packet. Each client has one ACK on its way.
      // Strangers who call at another socket meanwhile wait for their ERROR.
      receive(only, transfers.size, true);
    } else {
      const ready = libc.epollWait(epoll, events, EVENTS, transfers.size === 0 ? IDLE_MS : RECEIVE_TIMEOUT_MS);
      now = clock.monotonic();
      for (let index = 0; index < ready; index += 1) {
        const fd = events.readInt32LE((index + 1) * EPOLL_EVENT_BYTES - 8);
        if (fd !== wakeFd) receive(fd, Number.POSITIVE_INFINITY, false);
      }
    }
    if (now >= nextTick) lookAtTimers();
  }
  for (const transfer of transfers.values()) follow(transfer, transfer.state.fail('stopped', 'the server stops'));
  libc.close(epoll);
}

const UNKNOWN_TRANSFER = encodeTftp(tftpError(TftpErrorCode.UNKNOWN_TRANSFER_ID, 'unknown transfer'));
