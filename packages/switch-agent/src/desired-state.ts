import type { Clock } from '@ingot/net';
import { isNotFound, isUnreachable, type DesiredSwitch, type SwitchApi } from './api.ts';
import { wanted } from './desired.ts';
import type { AgentMetrics } from './metrics.ts';
import type { Problems } from './problems.ts';

export interface DesiredStateOptions {
  /** The switch. */
  readonly id: string;
  readonly api: Pick<SwitchApi, 'get'>;
  /** It wants something else than before. */
  readonly onChange: () => void;
  /** The API does not know the switch, so what it wants next is no wish. */
  readonly onLost: () => void;
  /** The switch has to be registered. */
  readonly register: () => void;
  readonly clock: Clock;
  readonly metrics: Pick<AgentMetrics, 'failed'>;
  readonly problems: Problems;
  readonly log: { info(bindings: object, message: string): void };
  readonly signal: AbortSignal;
}

/** What the API wants of the switch, as far as it has said. */
export interface DesiredState {
  /** Undefined before its first answer, and once it has lost the switch. */
  readonly now: DesiredSwitch | undefined;
  /** How long the last question took, milliseconds. */
  readonly tookMs: number;
  /** What it has answered to a registration. */
  registered(answer: DesiredSwitch): void;
  /** Asks the API. Never rejects. */
  fetch(): Promise<void>;
  /** A call that failed: counted, said, and, when the API does not know the switch, answered by registering it. */
  failed(call: 'heartbeat' | 'get', error: unknown): void;
  /**
   * Registering makes a switch that the API does not know; nobody could tell afterwards that it had been lost. Rejects
   * while it cannot be asked.
   */
  noticeLoss(): Promise<void>;
}

export function createDesiredState(options: DesiredStateOptions): DesiredState {
  const { id, api, clock, metrics, problems, log, signal } = options;
  let now: DesiredSwitch | undefined;
  let tookMs = 0;

  const lost = (): void => {
    now = undefined;
    options.onLost();
  };

  const take = (answer: DesiredSwitch): void => {
    if (now !== undefined && JSON.stringify(answer) === JSON.stringify(now)) return;
    log.info({ nics: answer.nics.length, wanted: wanted(answer) }, 'the desired state has changed');
    now = answer;
    options.onChange();
  };

  const failed: DesiredState['failed'] = (call, error) => {
    if (signal.aborted) return;
    metrics.failed(call);
    if (isNotFound(error)) {
      const isFirst = now === undefined;
      lost();
      options.register();
      // Before the first registration that is to be expected.
      if (isFirst) return;
    }
    problems.report(call, error, { tellApi: call !== 'heartbeat' && !isUnreachable(error) && !isNotFound(error) });
  };

  return {
    get now() {
      return now;
    },
    get tookMs() {
      return tookMs;
    },
    registered: take,
    fetch: async () => {
      const startedMs = clock.monotonic();
      try {
        const answer = await api.get(id, signal);
        problems.clear('get');
        take(answer);
      } catch (error) {
        failed('get', error);
      } finally {
        tookMs = clock.monotonic() - startedMs;
      }
    },
    failed,
    noticeLoss: async () => {
      try {
        await api.get(id, signal);
      } catch (error) {
        if (isUnreachable(error)) throw error;
        if (isNotFound(error)) lost();
      }
    },
  };
}
