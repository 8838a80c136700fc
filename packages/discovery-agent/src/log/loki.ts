import type { Clock, Entropy, Timer } from '@ingot/net';
import { retrySchedule } from '@ingot/net';
import type { LokiTarget } from '../life/agent-policy.ts';
import { reasonOf } from '../errors.ts';
import type { LogLine, LogSink } from './log-sinks.ts';
import { PostRefused } from './post-json.ts';

/** Sends a body; rejects when it was not taken with a 2xx status. */
export type PostJson = (
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
) => Promise<void>;

export interface LokiParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly post: PostJson;
  /** Said once for each time that the sink goes away or comes back. */
  readonly onTrouble: (words: string) => void;
  readonly machine: string;
}

export interface LokiSink {
  readonly write: LogSink;
  /** Gives up what is not sent yet. */
  readonly stop: () => void;
}

/** Lines that wait; the oldest go first, and are counted. */
const MAX_LINES = 2_000;
/** In one push. */
const BATCH_LINES = 500;
const COLLECT_MS = 1_000;
const PUSH_TIMEOUT_MS = 5_000;
const RETRY = { initialMs: 1_000, maxMs: 60_000 };
/**
 * How Loki refuses what it will never take: too old, too long. Others say so while their settings are wrong, which may be
 * mended soon, so lines are given up only after so many tries.
 */
const refusedForGood: ReadonlySet<number> = new Set([400, 413, 422]);
const MAX_REFUSALS = 3;

/**
 * Pushes lines to Grafana Loki (`POST /loki/api/v1/push`, JSON form) in the background. Labels are the machine, the part
 * and the level, and never more: each set of labels is a stream of its own there. Away or slow, it costs a bounded queue
 * and nothing else.
 */
export function lokiSink(target: LokiTarget, parts: LokiParts): LokiSink {
  const { clock, entropy, post, onTrouble, machine } = parts;
  let waiting: LogLine[] = [];
  let lost = 0;
  let timer: Timer | undefined;
  let isPushing = false;
  let isAway = false;
  let isStopped = false;
  let refusals = 0;
  /** Lines that a refused batch has: newer ones are not given up with it. */
  let refusedLines = BATCH_LINES;
  let delays = retrySchedule({ ...RETRY, entropy });
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (target.user !== undefined) {
    const login = `${target.user}:${target.password?.reveal() ?? ''}`;
    headers['authorization'] = `Basic ${Buffer.from(login).toString('base64')}`;
  }

  /** Takes a batch out of the queue, as far as it has not been pushed out meanwhile; says how many lines that were. */
  const drop = (length: number, lostBefore: number): number => {
    const there = Math.max(0, length - (lost - lostBefore));
    waiting = waiting.slice(there);
    return there;
  };
  const forget = (): void => {
    refusals = 0;
    refusedLines = BATCH_LINES;
  };
  const push = async (): Promise<void> => {
    timer = undefined;
    const batch = waiting.slice(0, refusedLines);
    const before = lost;
    isPushing = true;
    try {
      await post(target.endpoint, bodyOf(batch, machine, before, clock.now()), headers, PUSH_TIMEOUT_MS);
      drop(batch.length, before);
      // That many were told to be lost, too.
      lost = Math.max(0, lost - before - batch.length);
      forget();
      delays = retrySchedule({ ...RETRY, entropy });
      if (isAway) onTrouble('the log sink takes lines again');
      isAway = false;
      isPushing = false;
      if (waiting.length > 0) later(COLLECT_MS);
    } catch (error) {
      if (!isAway) onTrouble(`the log sink ${target.endpoint.host} takes no lines: ${reasonOf(error)}`);
      isAway = true;
      isPushing = false;
      if (error instanceof PostRefused && refusedForGood.has(error.status)) {
        refusals += 1;
        refusedLines = batch.length;
      }
      if (refusals === MAX_REFUSALS) {
        lost += drop(batch.length, before);
        forget();
      }
      later(delays.next().value ?? RETRY.maxMs);
    }
  };
  const later = (delayMs: number): void => {
    if (isStopped || isPushing) return;
    timer ??= clock.setTimeout(() => void push(), delayMs);
  };
  return {
    write: (line) => {
      if (isStopped) return;
      waiting.push(line);
      if (waiting.length > MAX_LINES) {
        waiting.shift();
        lost += 1;
      }
      later(COLLECT_MS);
    },
    stop: () => {
      isStopped = true;
      timer?.cancel();
      waiting = [];
    },
  };
}

/** One stream for each level; times are nanoseconds as text. */
function bodyOf(lines: readonly LogLine[], machine: string, lost: number, nowMs: number): string {
  const all: LogLine[] = [...lines];
  if (lost > 0)
    all.unshift({ timeMs: lines[0]?.timeMs ?? nowMs, level: 'error', phase: 'log', words: `${lost} lines are lost` });
  const streams = (['info', 'error'] as const).flatMap((level) => {
    const values = all
      .filter((line) => line.level === level)
      .map(({ timeMs, phase, words }) => [`${Math.trunc(timeMs)}000000`, JSON.stringify({ phase, msg: words })]);
    return values.length === 0 ? [] : [{ stream: { component: 'ingot-discovery', machineID: machine, level }, values }];
  });
  return JSON.stringify({ streams });
}
