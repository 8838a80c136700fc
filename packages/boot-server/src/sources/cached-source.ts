import type { Clock } from '@ingot/net';
import type { Logger } from '@ingot/daemon';
import type { BootPlan, BootSource, BootSubject, Freshness, SourceAnswer } from '../decide/boot-plan.ts';
import { BootServerError, BootServerErrorCode } from '../errors.ts';
import { keepNewest } from '../limits/keep-newest.ts';
import type { BootStore } from '../store/boots.ts';

export interface CachedSourceOptions {
  /** Answers by MAC address alone: one answer a NIC is kept. */
  readonly source: BootSource;
  readonly store: BootStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a NIC without an answer of its own boots what the newest answer for any NIC says, while it is away. */
  readonly partitionWide: boolean;
}

/** A cached answer younger than this is given out as it is; an older one is also asked for anew. */
const FRESH_MS = 10_000;
/** After that long a DHCP answer waits for the source again. */
const KEEP_MS = 24 * 60 * 60_000;
/** NICs whose answers are in memory; the rest is on disk. */
const MAX_CACHED = 16_384;
/** Questions under way: each holds a machine's answer up for the source's timeout at most. */
const MAX_RUNNING = 4_096;
/** A source that did not answer is left alone that long where there is an older answer: not every machine waits in vain. */
const AWAY_MS = 5_000;

interface Cached {
  readonly answer: SourceAnswer;
  /** `Clock.now`. */
  readonly at: number;
}

/**
 * Keeps a source's answers: one question a machine at a time, however many ask; the last answer where the source is
 * away, also after a restart; at once, and refreshed behind the machine's back, where an older answer will do.
 */
export function cachedSource(options: CachedSourceOptions): BootSource {
  const { source, store, clock, log, partitionWide } = options;
  const cache = new Map<string, Cached>();
  const running = new Map<string, Promise<SourceAnswer>>();
  let awayUntil = -Infinity;

  const keep = (mac: string, cached: Cached): void => {
    keepNewest(cache, mac, cached, MAX_CACHED);
  };
  const find = (mac: string): Cached | undefined => {
    const known = cache.get(mac);
    if (known !== undefined) return known;
    const stored = store.recall(source.name, mac);
    if (stored === undefined) return undefined;
    const cached = { answer: stored.plan, at: stored.answeredAt };
    keep(mac, cached);
    return cached;
  };
  const learn = (mac: string, answer: SourceAnswer): SourceAnswer => {
    if (answer !== undefined && answer.kind !== 'next') store.remember(source.name, mac, answer);
    else if (find(mac)?.answer !== undefined) store.forget(source.name, mac);
    keep(mac, { answer, at: clock.now() });
    return answer;
  };
  const ask = (subject: BootSubject): Promise<SourceAnswer> => {
    const { mac } = subject;
    const already = running.get(mac);
    if (already !== undefined) return already;
    if (running.size >= MAX_RUNNING)
      return Promise.reject(
        new BootServerError(BootServerErrorCode.ApiAway, `${source.name} has ${running.size} questions to answer`),
      );
    const started = (async (): Promise<SourceAnswer> => {
      try {
        const answer = await source.plan(subject, 'fresh');
        awayUntil = -Infinity;
        return learn(mac, answer);
      } catch (error) {
        if (isAway(error)) awayUntil = clock.monotonic() + AWAY_MS;
        throw error;
      }
    })();
    running.set(mac, started);
    const forget = (): void => void running.delete(mac);
    started.then(forget, forget);
    return started;
  };
  /** What it said last; undefined when it never said anything that would do. */
  const last = (mac: string): { answer: BootPlan; from: 'machine' | 'partition' } | undefined => {
    const own = find(mac)?.answer;
    if (own !== undefined && own.kind !== 'next') return { answer: own, from: 'machine' };
    const any = partitionWide ? store.newest(source.name) : undefined;
    return any === undefined ? undefined : { answer: any.plan, from: 'partition' };
  };
  const fresh = async (subject: BootSubject): Promise<SourceAnswer> => {
    const { mac } = subject;
    try {
      // Somebody found it away a moment ago: this machine does not wait for the same.
      if (clock.monotonic() < awayUntil && last(mac) !== undefined) throw stillAway(source.name);
      return await ask(subject);
    } catch (error) {
      const known = isAway(error) ? last(mac) : undefined;
      if (known === undefined) throw error;
      log.warn(
        { event: 'api.away', mac, uuid: subject.uuid, source: source.name, from: known.from, err: error },
        `${source.name} is away: ${mac} boots what the ${known.from} booted last`,
      );
      return known.answer;
    }
  };
  const cached = (subject: BootSubject): SourceAnswer | Promise<SourceAnswer> => {
    const known = find(subject.mac);
    // A clock that was put back makes no answer younger: a no would stand until it has caught up.
    const age = known === undefined ? Infinity : Math.abs(clock.now() - known.at);
    // A machine that was not wanted may be by now, and has no second try within this boot.
    const isNo = known?.answer === undefined || known.answer.kind === 'ignore';
    if (known === undefined || age > (isNo ? FRESH_MS : KEEP_MS)) return fresh(subject);
    if (age > FRESH_MS && clock.monotonic() >= awayUntil)
      ask(subject).catch((error: unknown) => {
        log.debug({ event: 'api.away', mac: subject.mac, source: source.name, err: error }, 'not refreshed');
      });
    return known.answer;
  };
  const { offers } = source;
  return {
    name: source.name,
    plan: (subject: BootSubject, freshness: Freshness) => (freshness === 'fresh' ? fresh(subject) : cached(subject)),
    ...(offers === undefined ? {} : { offers }),
  };
}

function isAway(error: unknown): boolean {
  return error instanceof BootServerError && error.code === BootServerErrorCode.ApiAway;
}

function stillAway(name: string): BootServerError {
  return new BootServerError(BootServerErrorCode.ApiAway, `${name} did not answer within the last seconds`);
}
