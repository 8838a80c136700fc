import { createPoller, type Libc, type Poller } from '@ingot/net';
import { ClientRates } from './client-rates.ts';
import type { BodyLimits } from './sender.ts';
import type { TokenBucket } from './token-bucket.ts';

/** A part of a file for a socket. */
export interface SendJob {
  readonly id: number;
  /** Non-blocking. It and the file are somebody else's, open until the job's end is told. */
  readonly socket: number;
  readonly file: number;
  readonly position: number;
  readonly length: number;
  readonly client: string;
}

export type SendEndKind = 'done' | 'gone' | 'idle';

interface Running {
  readonly job: SendJob;
  readonly bucket: TokenBucket | undefined;
  position: number;
  progressAt: number;
  /** When a client's rate lets it go on; undefined while it waits for the socket or for its turn. */
  resumeAt: number | undefined;
  isQueued: boolean;
}

/** One turn of one connection; what nginx calls sendfile_max_chunk. With a quarter of it, 50 clients cost a third more. */
const CHUNK_BYTES = 4_194_304;
const SWEEP_MS = 1_000;
/** Never a job's id. */
const WAKE_ID = 0;
const EINTR = 4;
const EAGAIN = 11;
/** tcp(7) */
const IPPROTO_TCP = 6;
const TCP_CORK = 3;
const ON = new Uint8Array(Int32Array.of(1).buffer);
const OFF = new Uint8Array(Int32Array.of(0).buffer);

/**
 * Sends files to many sockets at once by sendfile(2), each connection a chunk in its turn. For a thread of its own:
 * `turn` blocks. `wake` is an eventfd(2) whose writing ends the wait.
 */
export class SendfileLoop {
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #limits: BodyLimits;
  readonly #now: () => number;
  readonly #onEnd: (id: number, kind: SendEndKind) => void;
  readonly #rates: ClientRates;
  readonly #running = new Map<number, Running>();
  #ready: Running[] = [];
  #sweptAt: number;

  constructor(components: {
    libc: Libc;
    wake: number;
    limits: BodyLimits;
    /** Monotonic, in milliseconds. */
    now: () => number;
    onEnd: (id: number, kind: SendEndKind) => void;
  }) {
    this.#libc = components.libc;
    this.#limits = components.limits;
    this.#now = components.now;
    this.#onEnd = components.onEnd;
    this.#rates = new ClientRates(components.limits.maxBytesPerSecondPerClient);
    this.#sweptAt = components.now();
    this.#poller = createPoller(components.libc);
    this.#poller.add(components.wake, WAKE_ID, 'readable');
  }

  get size(): number {
    return this.#running.size;
  }

  add(job: SendJob): void {
    const now = this.#now();
    const bucket = this.#rates.enter(job.client, now);
    const running: Running = {
      job,
      bucket,
      position: job.position,
      progressAt: now,
      resumeAt: undefined,
      isQueued: false,
    };
    this.#running.set(job.id, running);
    // Node's sockets have TCP_NODELAY: the kernel would send the sixteen pages that sendfile(2) moves at a time as they
    // come, in more and smaller packets; one client alone got half as much.
    this.#libc.setsockopt(job.socket, IPPROTO_TCP, TCP_CORK, ON);
    try {
      // Edge-triggered: the first edge is the one of being added.
      this.#poller.add(job.socket, job.id, 'writable');
    } catch {
      this.#end(running, 'gone');
    }
  }

  setRate(perSecond: number | undefined): void {
    this.#rates.set(perSecond);
  }

  cancel(id: number): void {
    const running = this.#running.get(id);
    if (running !== undefined) this.#end(running, 'gone');
  }

  /** Waits until something can be sent, at most `maxWaitMs`, and sends one chunk to everybody who can take it. */
  turn(maxWaitMs: number): void {
    for (const id of this.#poller.wait(this.#waitMs(maxWaitMs))) {
      const running = this.#running.get(id);
      if (running !== undefined && running.resumeAt === undefined) this.#queue(running);
    }
    const now = this.#now();
    for (const running of this.#running.values()) {
      // Only where there is a rate: else nobody has a time to resume at.
      if (!this.#rates.isLimiting) break;
      if (running.resumeAt === undefined || running.resumeAt > now) continue;
      running.resumeAt = undefined;
      this.#queue(running);
    }
    const turn = this.#ready;
    this.#ready = [];
    for (const running of turn) {
      running.isQueued = false;
      if (this.#running.has(running.job.id)) this.#send(running, now);
    }
    if (now - this.#sweptAt >= SWEEP_MS) this.#sweep(now);
  }

  close(): void {
    for (const running of this.#running.values()) this.#end(running, 'gone');
    this.#poller.close();
  }

  #waitMs(maxWaitMs: number): number {
    if (this.#ready.length > 0) return 0;
    if (!this.#rates.isLimiting) return maxWaitMs;
    const now = this.#now();
    let wait = maxWaitMs;
    for (const { resumeAt } of this.#running.values())
      if (resumeAt !== undefined) wait = Math.min(wait, Math.max(0, Math.ceil(resumeAt - now)));
    return wait;
  }

  #queue(running: Running): void {
    if (running.isQueued) return;
    running.isQueued = true;
    this.#ready.push(running);
  }

  #send(running: Running, now: number): void {
    const { job, bucket } = running;
    const left = job.position + job.length - running.position;
    const wanted = Math.min(left, CHUNK_BYTES);
    const granted = bucket?.available(wanted, now) ?? wanted;
    if (granted === 0) {
      running.resumeAt = now + (bucket?.waitMs(wanted, now) ?? 0);
      // The rate holds it back, not the client.
      running.progressAt = now;
      return;
    }
    const sent = this.#libc.sendfile(job.socket, job.file, running.position, granted);
    if (sent < 0) {
      const errno = this.#libc.errno();
      if (errno === EINTR) this.#queue(running);
      else if (errno !== EAGAIN) this.#end(running, 'gone');
      return;
    }
    if (sent === 0) {
      // A sealed file does not shrink; whatever this is, it does not go on.
      this.#end(running, 'gone');
      return;
    }
    bucket?.take(sent);
    running.position += sent;
    running.progressAt = now;
    if (sent === left) this.#end(running, 'done');
    // Less than was to go means that the socket is full (epoll(7)); to hear that once more costs a system call.
    else if (sent === granted) this.#queue(running);
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const running of this.#running.values()) {
      const idleMs = now - running.progressAt;
      if (idleMs >= this.#limits.idleTimeoutMs) this.#end(running, 'idle');
      // Should an edge ever be missed, as when a signal cut a call short, this one takes its place.
      else if (idleMs >= SWEEP_MS && running.resumeAt === undefined) this.#queue(running);
    }
  }

  #end(running: Running, kind: SendEndKind): void {
    const { job } = running;
    this.#running.delete(job.id);
    this.#rates.leave(job.client, running.bucket);
    this.#poller.remove(job.socket);
    // Sends what is left of less than a packet, which would wait 200 ms.
    this.#libc.setsockopt(job.socket, IPPROTO_TCP, TCP_CORK, OFF);
    this.#onEnd(job.id, kind);
  }
}
