import type { Clock } from '@ingot/net';
import { bindPublicService } from '../bind-service.ts';
import { ApiError, Code } from '../errors.ts';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '../gen/grpc/health/v1/health_pb.ts';
import type { BoundService } from '../handlers.ts';

export interface GrpcHealthOptions<Caller> {
  /** All services of the server. They are well together: all need the same. */
  readonly services: readonly BoundService<Caller>[];
  /** Whether calls will be answered. A rejection counts as no. */
  readonly serving: () => Promise<boolean>;
  readonly clock: Clock;
}

/** Anybody may ask, however often: `serving` is asked no more often than so. */
const FRESH_MS = 1_000;
/** How often a stream looks for a change. */
const WATCH_EVERY_MS = 5_000;
/** Streams at once, of all clients. */
const MAX_WATCHERS = 1_000;
/** … and of one host: anybody may ask. */
const MAX_WATCHERS_OF_HOST = 100;

/**
 * `grpc.health.v1.Health`: https://github.com/grpc/grpc/blob/master/doc/health-checking.md. Known services are those
 * given, and the empty name, which is the server.
 */
export function grpcHealthService<Caller>(options: GrpcHealthOptions<Caller>): BoundService<Caller> {
  const { clock } = options;
  const names = new Set(['', ...options.services.map(({ service }) => service.typeName), Health.typeName]);
  let asked: { readonly at: number; readonly status: Promise<ServingStatus> } | undefined;
  const watchers = new Map<string, number>();
  let all = 0;
  const count = (host: string, change: 1 | -1): void => {
    all += change;
    const ofHost = (watchers.get(host) ?? 0) + change;
    if (ofHost === 0) watchers.delete(host);
    else watchers.set(host, ofHost);
  };

  const status = (): Promise<ServingStatus> => {
    if (asked === undefined || clock.monotonic() - asked.at >= FRESH_MS) {
      const answer = options.serving().then(
        (serving) => (serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING),
        () => ServingStatus.NOT_SERVING,
      );
      asked = { at: clock.monotonic(), status: answer };
    }
    return asked.status;
  };

  return bindPublicService<typeof Health, Caller>(Health, {
    async check({ service }) {
      if (!names.has(service)) throw new ApiError(Code.NotFound, 'this server has no such service');
      return { status: await status() };
    },
    async list() {
      const now = await status();
      return { statuses: Object.fromEntries([...names].map((name) => [name, { status: now }])) };
    },
    async *watch({ service }, { signal, peer }) {
      const host = peer.replace(/:\d+$/, '');
      const isTooMuch = (watchers.get(host) ?? 0) >= MAX_WATCHERS_OF_HOST;
      if (isTooMuch || all >= MAX_WATCHERS) {
        const who = isTooMuch ? `${MAX_WATCHERS_OF_HOST} streams of this host` : `${MAX_WATCHERS} streams`;
        throw new ApiError(Code.ResourceExhausted, `${who} watch already: use Check`);
      }
      count(host, 1);
      try {
        for (let last: ServingStatus | undefined; ;) {
          const now = names.has(service) ? await status() : ServingStatus.SERVICE_UNKNOWN;
          if (now !== last) yield { status: now };
          last = now;
          await clock.sleep(WATCH_EVERY_MS, signal);
        }
      } finally {
        count(host, -1);
      }
    },
  });
}
