import { TftpErrorCode } from '@ingot/wire';
import { retransmissionTimer, type RetransmissionTimer } from './retransmission-timer.ts';

/** Why a transfer failed. */
export type TftpFailure =
  | 'no-answer'
  | 'client-error'
  | 'too-slow'
  | 'too-long'
  | 'superseded'
  | 'displaced'
  | 'stopped'
  | 'engine-failed';

/** How a transfer ended. */
export type TftpEnd =
  | {
      readonly kind: 'done';
      /** False when the last ACK never came, which many a ROM leaves out. */ readonly confirmed: boolean;
    }
  /** The client wanted to know the size only: EDK2 ends that with ERROR 8 after the OACK. */
  | { readonly kind: 'probed' }
  | { readonly kind: 'failed'; readonly cause: TftpFailure; readonly detail: string };

export interface TftpResult {
  readonly end: TftpEnd;
  /** Of the file, that the client has acknowledged. */
  readonly bytes: number;
  readonly retransmissions: number;
}

/** What a transfer is to keep to. */
export interface TransferTerms {
  /** Bytes of data in a block. */
  readonly blksize: number;
  /** Blocks between two ACKs. */
  readonly windowsize: number;
  /** The client's own wish for the time until a retransmission; undefined lets the server adapt. */
  readonly timeoutMs: number | undefined;
  /** Whether the answer starts with an OACK. */
  readonly hasOack: boolean;
  /** The whole transfer may take this long. */
  readonly deadlineMs: number;
  /** Acknowledged on average over `RATE_PERIOD_MS`; whoever is slower only holds a place. */
  readonly minBytesPerSecond: number;
}

/** What to do next. */
export const Step = {
  /** Nothing, until an ACK comes or `wakeAt` is reached. */
  WAIT: 0,
  /** Send the blocks `from` to `until`; block 0 is the OACK. */
  SEND: 1,
  /** `end` says how; first send `parting`, if there is one. */
  END: 2,
} as const;
export type Step = (typeof Step)[keyof typeof Step];

/** Waits in vain, one after the other, until the client counts as gone: 1 + 2 + 4 + 8 + 8 s. */
const MAX_EXPIRIES = 5;
/**
 * On a fast line the first waits are a third as long, and a client that was there is lost for no longer than it takes a
 * switch to find another way: it gets the same time.
 */
const PATIENCE_MS = 23_000;
/** Longer than the pauses of a client that retransmits, shorter than anybody waits for a place. */
const RATE_PERIOD_MS = 60_000;
const BLOCK_NUMBERS = 65_536;
const MAX_DETAIL = 128;

/**
 * One transfer without its socket, file and clock: both engines run it. Blocks are counted without end here and on the
 * wire modulo 65536, so that files may exceed 65535 blocks. Times are monotonic milliseconds. After the end every step
 * is `WAIT`.
 */
export class TransferState {
  readonly sizeBytes: number;
  readonly blksize: number;
  /** The first short block, an empty one if need be. */
  readonly lastBlock: number;
  /** First and last block of the window to send. */
  from = 0;
  until = 0;
  /** When `onTime` wants to be called. */
  wakeAt: number;
  end: TftpEnd | undefined;
  /** The ERROR for the client. */
  parting: { readonly code: number; readonly message: string } | undefined;

  readonly #windowsize: number;
  readonly #timer: RetransmissionTimer;
  readonly #minBytesPerPeriod: number;
  readonly #patienceMs: number;
  readonly #deadlineAt: number;
  /** ACKed up to here; the OACK, if there is one, is block 0. */
  #acknowledged: number;
  readonly #acknowledgedAtStart: number;
  #highestSent: number;
  #sentAt: number;
  #heardAt: number;
  #expiresAt: number;
  #rateCheckAt: number;
  #acknowledgedAtCheck = 0;
  #wasResent = false;
  #resentFor = -2;
  #expiries = 0;
  #retransmissions = 0;

  /** `from` and `until` are the first window: send it. */
  constructor(terms: TransferTerms, sizeBytes: number, now: number) {
    this.sizeBytes = sizeBytes;
    this.blksize = terms.blksize;
    this.lastBlock = Math.floor(sizeBytes / terms.blksize) + 1;
    this.#windowsize = terms.windowsize;
    this.#timer = retransmissionTimer(terms.timeoutMs);
    this.#minBytesPerPeriod = (terms.minBytesPerSecond * RATE_PERIOD_MS) / 1000;
    this.#deadlineAt = now + terms.deadlineMs;
    this.#rateCheckAt = now + RATE_PERIOD_MS;
    this.#acknowledged = terms.hasOack ? -1 : 0;
    this.#acknowledgedAtStart = this.#acknowledged;
    this.#highestSent = this.#acknowledged;
    this.#sentAt = now;
    this.#heardAt = now;
    // Who says how long to wait has said it.
    this.#patienceMs = terms.timeoutMs === undefined ? PATIENCE_MS : 0;
    this.#expiresAt = now;
    this.wakeAt = now;
    this.#window(now);
  }

  /** An ACK with `wireBlock`, 0 to 65535, came. */
  onAck(wireBlock: number, now: number): Step {
    if (this.end !== undefined) return Step.WAIT;
    const base = Math.max(this.#acknowledged, 0);
    const ahead = (wireBlock - (base % BLOCK_NUMBERS) + BLOCK_NUMBERS) % BLOCK_NUMBERS;
    const block = base + ahead;
    if (block > this.#highestSent) return Step.WAIT;
    if (block === this.#acknowledged) {
      // An ACK for nothing new. In lockstep it is a duplicate: answering it would double every packet from here on
      // (RFC 1123 §4.2.3.1). In a window it says that the first block was lost (RFC 7440 §4); once is enough.
      if (this.#windowsize === 1 || this.#resentFor === block) return Step.WAIT;
      this.#resentFor = block;
      this.#wasResent = true;
      this.#retransmissions += 1;
      return this.#window(now);
    }
    if (!this.#wasResent) this.#timer.measured(now - this.#sentAt);
    this.#timer.progressed();
    this.#wasResent = false;
    this.#expiries = 0;
    this.#heardAt = now;
    this.#acknowledged = block;
    if (block === this.lastBlock) return this.#finish({ kind: 'done', confirmed: true });
    if (now >= this.#rateCheckAt || now >= this.#deadlineAt) {
      if (this.#isOverdue(now)) return Step.END;
    }
    return this.#window(now);
  }

  /** Time has passed. */
  onTime(now: number): Step {
    if (this.end !== undefined) return Step.WAIT;
    if (this.#isOverdue(now)) return Step.END;
    if (now < this.#expiresAt) {
      this.#plan();
      return Step.WAIT;
    }
    this.#expiries += 1;
    if (this.#expiries >= MAX_EXPIRIES) {
      // RFC 1350 §6: whether the last block arrived is all that a missing last ACK leaves open.
      if (this.#acknowledged >= 0 && this.#highestSent === this.lastBlock)
        return this.#finish({ kind: 'done', confirmed: false });
      if (now - this.#heardAt >= this.#patienceMs) return this.fail('no-answer', 'no acknowledgement');
    }
    this.#timer.expired();
    this.#wasResent = true;
    this.#retransmissions += 1;
    return this.#window(now);
  }

  /** An ERROR came. */
  onError(code: number, message: string): Step {
    if (this.end !== undefined) return Step.WAIT;
    const endsProbe = code === TftpErrorCode.OPTION_REFUSED || code === TftpErrorCode.NOT_DEFINED;
    if (this.#acknowledged < 0 && endsProbe) return this.#finish({ kind: 'probed' });
    // oxlint-disable-next-line no-control-regex -- keeps the client's text from drawing on the log
    const words = message.replace(/[^\u0020-\u007e]/g, '?').slice(0, MAX_DETAIL);
    return this.#finish({ kind: 'failed', cause: 'client-error', detail: `client says error ${code}: ${words}` });
  }

  /** Gives up and tells the client. */
  fail(cause: TftpFailure, detail: string): Step {
    if (this.end !== undefined) return Step.WAIT;
    this.parting = { code: TftpErrorCode.NOT_DEFINED, message: detail };
    return this.#finish({ kind: 'failed', cause, detail });
  }

  /** Ends without a word to the client, who has begun anew. */
  supersede(): Step {
    if (this.end !== undefined) return Step.WAIT;
    return this.#finish({ kind: 'failed', cause: 'superseded', detail: 'the client asked again from the same port' });
  }

  /** Ends without a word to the client, of whom nothing was heard. */
  displace(): Step {
    if (this.end !== undefined) return Step.WAIT;
    const detail = 'the client never acknowledged anything, and another asked for its place';
    return this.#finish({ kind: 'failed', cause: 'displaced', detail });
  }

  /** Whether the client has acknowledged anything. */
  get isHeard(): boolean {
    return this.#acknowledged > this.#acknowledgedAtStart;
  }

  /** After the end. */
  get result(): TftpResult {
    if (this.end === undefined) throw new Error('the transfer has not ended');
    return { end: this.end, bytes: this.#acknowledgedBytes(), retransmissions: this.#retransmissions };
  }

  #acknowledgedBytes(): number {
    if (this.end?.kind === 'done') return this.sizeBytes;
    return Math.min(this.sizeBytes, Math.max(0, this.#acknowledged) * this.blksize);
  }

  #window(now: number): Step {
    if (this.#acknowledged < 0) {
      this.from = 0;
      this.until = 0;
    } else {
      this.from = this.#acknowledged + 1;
      this.until = Math.min(this.#acknowledged + this.#windowsize, this.lastBlock);
    }
    this.#highestSent = this.until;
    this.#sentAt = now;
    this.#expiresAt = now + this.#timer.waitMs;
    this.#plan();
    return Step.SEND;
  }

  #plan(): void {
    this.wakeAt = Math.min(this.#expiresAt, this.#rateCheckAt, this.#deadlineAt);
  }

  #isOverdue(now: number): boolean {
    if (now >= this.#deadlineAt) {
      this.fail('too-long', 'the transfer takes too long');
      return true;
    }
    if (now < this.#rateCheckAt) return false;
    const acknowledged = this.#acknowledgedBytes();
    if (acknowledged - this.#acknowledgedAtCheck < this.#minBytesPerPeriod) {
      this.fail('too-slow', 'the transfer is too slow');
      return true;
    }
    this.#acknowledgedAtCheck = acknowledged;
    this.#rateCheckAt = now + RATE_PERIOD_MS;
    return false;
  }

  #finish(end: TftpEnd): Step {
    this.end = end;
    this.wakeAt = Number.POSITIVE_INFINITY;
    return Step.END;
  }
}
