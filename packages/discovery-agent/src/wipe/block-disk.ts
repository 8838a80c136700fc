import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '@ingot/net';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import { parseReply } from './block-io-protocol.ts';
import type { BlockReply, BlockRequest } from './block-io-protocol.ts';
import type { Argv } from './method.ts';
import type { Place, Sample } from './samples.ts';

/** A disk held open by a child process: nobody else can mount it. Calls come one after another. */
export interface BlockDisk {
  sample(places: readonly Place[]): Promise<readonly Sample[]>;
  /** Writes noise made from the 32 bytes of `key`. */
  plant(places: readonly Place[], key: Uint8Array): Promise<void>;
  /** @param progress told the bytes that are written */
  zero(places: readonly Place[], progress?: (bytes: number) => void): Promise<void>;
  /** Lets go of the disk. */
  close(): Promise<void>;
}

export interface BlockDiskOptions {
  readonly device: string;
  /** How this program starts itself: the device's name follows. */
  readonly command: Argv;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * A request to a disk in trouble is repeated by the kernel: 30 s, five times. Longer silence than that is the end.
 */
const silenceMs = 180_000;
const exitMs = 5_000;
const maxStderrLength = 2_000;

/**
 * Opens a disk for reading and writing past the page cache.
 *
 * Rejects with `AgentError`: `WipeRefused` when the disk is in use or cannot be written, `Hung` when it does not answer;
 * so do the calls later on. When the signal is aborted the child is killed, even if it cannot die at once.
 */
export async function openBlockDisk(options: BlockDiskOptions): Promise<BlockDisk> {
  const child = new Child(options);
  try {
    const first = await child.next(undefined);
    if (first.kind !== 'ready')
      throw new AgentError(
        AgentErrorCode.WipeRefused,
        first.kind === 'failed' ? first.reason : `block-io answered ${first.kind}`,
      );
  } catch (error) {
    child.kill();
    throw error;
  }
  const ask = async <K extends BlockReply['kind']>(
    kind: K,
    request: BlockRequest,
    progress?: (bytes: number) => void,
  ): Promise<Extract<BlockReply, { kind: K }>> => {
    child.send(request);
    const reply = await child.next(progress);
    if (isKind(reply, kind)) return reply;
    throw new Error(reply.kind === 'failed' ? reply.reason : `block-io answered ${reply.kind}, not ${kind}`);
  };
  return {
    sample: async (places) => (await ask('samples', { do: 'sample', places })).samples,
    plant: async (places, key) =>
      void (await ask('done', { do: 'plant', places, key: Buffer.from(key).toString('hex') })),
    zero: async (places, progress) => void (await ask('done', { do: 'zero', places }, progress)),
    close: () => child.close(),
  };
}

function isKind<K extends BlockReply['kind']>(reply: BlockReply, kind: K): reply is Extract<BlockReply, { kind: K }> {
  return reply.kind === kind;
}

interface Waiter {
  readonly progress: ((bytes: number) => void) | undefined;
  readonly resolve: (reply: BlockReply) => void;
  readonly reject: (error: Error) => void;
}

class Child {
  readonly #options: BlockDiskOptions;
  readonly #process;
  readonly #exited: Promise<void>;
  readonly #early: BlockReply[] = [];
  #waiter: Waiter | undefined;
  #failure: Error | undefined;
  #silence: Timer | undefined;
  #stderr = '';

  constructor(options: BlockDiskOptions) {
    const { command, device, signal } = options;
    signal.throwIfAborted();
    this.#options = options;
    const [file = '', ...args] = command;
    this.#process = spawn(file, [...args, device], { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.#process;
    stdin.on('error', () => undefined); // that it is gone shows at the end of its output
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-maxStderrLength);
    });
    createInterface({ input: stdout }).on('line', (line) => this.#hear(line));
    const aborted = (): void => {
      this.#fail(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      this.kill();
    };
    signal.addEventListener('abort', aborted);
    this.#exited = new Promise((resolve) => {
      const ended = (why: string): void => {
        signal.removeEventListener('abort', aborted);
        const words = this.#stderr.trim().split('\n').at(-1) ?? '';
        this.#fail(new Error(`block-io for ${device} ${why}${words === '' ? '' : `: ${words}`}`));
        resolve();
      };
      this.#process.on('error', (error) => ended(`did not start: ${reasonOf(error)}`));
      this.#process.on('close', (code, by) => ended(`ended with ${by ?? `status ${code}`}`));
    });
  }

  send(request: BlockRequest): void {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
  }

  /** The next reply that is no progress. */
  async next(progress: Waiter['progress']): Promise<BlockReply> {
    const early = this.#early.shift();
    if (early !== undefined) return early;
    if (this.#failure !== undefined) throw this.#failure;
    return await new Promise<BlockReply>((resolve, reject) => {
      this.#waiter = { progress, resolve, reject };
      this.#watch();
    }).finally(() => this.#silence?.cancel());
  }

  /** It may hang in the kernel and outlive this; our own end must not wait for it. */
  kill(): void {
    const { stdin, stdout, stderr } = this.#process;
    this.#process.kill('SIGKILL');
    this.#process.unref();
    for (const pipe of [stdin, stdout, stderr]) pipe.destroy();
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    const late = this.#options.clock.setTimeout(() => this.kill(), exitMs);
    // A process that hangs in the kernel is left behind.
    const left = Promise.withResolvers<void>();
    const leave = this.#options.clock.setTimeout(() => left.resolve(), 2 * exitMs);
    await Promise.race([this.#exited, left.promise]);
    late.cancel();
    leave.cancel();
  }

  #watch(): void {
    this.#silence?.cancel();
    this.#silence = this.#options.clock.setTimeout(() => {
      const words = `${this.#options.device} hangs: no answer for ${silenceMs / 1000} s`;
      this.#fail(new AgentError(AgentErrorCode.Hung, words));
      this.kill();
    }, silenceMs);
  }

  #hear(line: string): void {
    const reply = parseReply(line);
    const waiter = this.#waiter;
    if (reply?.kind === 'progress') {
      this.#watch();
      waiter?.progress?.(reply.bytes);
      return;
    }
    const answer: BlockReply = reply ?? { kind: 'failed', reason: `block-io says "${line.slice(0, 80)}"` };
    this.#waiter = undefined;
    if (waiter === undefined) this.#early.push(answer);
    else waiter.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.reject(this.#failure);
  }
}
