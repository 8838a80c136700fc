import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { atEnd } from './at-end.ts';
import { compileC } from './compile.ts';

/** What the cable does to frames, each way; shares in percent. */
export interface Impairment {
  readonly dropPercent?: number;
  readonly duplicatePercent?: number;
  /** Kept back for 3 ms, so that what was sent after them comes first. */
  readonly reorderPercent?: number;
  /** Each way, on top of what a frame takes anyhow. */
  readonly delayUs?: number;
  /** Decides which frames suffer, by their number in each direction. */
  readonly seed?: number;
}

export interface CableEnd {
  /** Of `ip netns`. */
  readonly namespace: string;
  /** Name of the tap that is made there; at most 15 characters. */
  readonly interface: string;
}

export interface WayCounts {
  readonly frames: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Lost although nobody asked for it: an end was down, or a queue full. */
  readonly overflowed: number;
}

export interface LossyForwarder extends AsyncDisposable {
  /** Ends it, which takes both taps away. */
  stop(): Promise<{ readonly aToB: WayCounts; readonly bToA: WayCounts }>;
}

/**
 * A bad cable between two namespaces: a tap at each end, up and without addresses, when this resolves. Works where the
 * kernel has no netem. The forwarder is `lossy-forwarder.c`.
 */
export async function startLossyForwarder(
  a: CableEnd,
  b: CableEnd,
  impairment: Impairment = {},
): Promise<LossyForwarder> {
  const { dropPercent = 0, duplicatePercent = 0, reorderPercent = 0, delayUs = 0, seed = 1 } = impairment;
  const options = {
    a: `${a.namespace}:${a.interface}`,
    b: `${b.namespace}:${b.interface}`,
    drop: dropPercent,
    duplicate: duplicatePercent,
    reorder: reorderPercent,
    'delay-us': delayUs,
    seed,
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(compileC(new URL('lossy-forwarder.c', import.meta.url)), words, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const forget = atEnd(() => void child.kill('SIGKILL'));
  child.once('close', forget);
  const complaints = text(child.stderr);
  const output: string[] = [];
  const ended = once(child, 'close');
  const ready = new Promise<boolean>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      output.push(part);
      resolve(true);
    });
    child.once('close', () => resolve(false));
  });
  if (!(await ready)) throw new Error(`the lossy forwarder did not start: ${await complaints}`);
  const stop: LossyForwarder['stop'] = async () => {
    child.kill('SIGTERM');
    await ended;
    const counts = output.join('').replace('ready\n', '');
    if (counts === '') throw new Error(`the lossy forwarder ended early: ${await complaints}`);
    return JSON.parse(counts);
  };
  return {
    stop,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
