import { retrySchedule, withRetry, type Clock, type Entropy } from '@ingot/net';
import { isUnreachable, type DesiredSwitch, type Registration } from './api.ts';
import type { Problems } from './problems.ts';

export interface RegistrarOptions {
  readonly register: (registration: Registration, signal: AbortSignal) => Promise<DesiredSwitch>;
  /** What to register now; undefined while the ports are not known. */
  readonly registration: () => Promise<Registration | undefined>;
  readonly onRegistered: (answer: DesiredSwitch, ports: number) => void;
  readonly onFailed: () => void;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly problems: Problems;
  readonly log: { info(bindings: object, message: string): void };
  readonly signal: AbortSignal;
}

export interface Registrar {
  /** The switch has to be registered (again). Asking twice while one is under way costs one more call, never two. */
  request(): void;
  /** Ends with the signal. */
  readonly ended: Promise<void>;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** Registers the switch whenever it is asked to, and tries for as long as it takes. */
export function createRegistrar(options: RegistrarOptions): Registrar {
  const { clock, entropy, problems, log, signal } = options;
  let requested = false;
  let wake: () => void = () => {};

  const untilRequested = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      if (requested || signal.aborted) resolve();
    });

  const registerOnce = async (): Promise<void> => {
    // Cleared before the ports are looked up: whoever asks from here on may know of newer ones.
    requested = false;
    const registration = await options.registration();
    if (registration === undefined) return;
    const answer = await options.register(registration, signal);
    problems.clear('register');
    log.info({ switch: registration.id, ports: registration.ports.length }, 'the switch is registered');
    options.onRegistered(answer, registration.ports.length);
  };

  const run = async (): Promise<void> => {
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      await untilRequested();
      if (signal.aborted) return;
      try {
        await withRetry(registerOnce, {
          schedule: retrySchedule({ initialMs: FIRST_RETRY_MS, maxMs: LONGEST_RETRY_MS, entropy }),
          clock,
          signal,
          onRetry: ({ error, attempt, delayMs }) => {
            options.onFailed();
            problems.report('register', error, { tellApi: !isUnreachable(error) });
            log.info({ attempt, delayMs: Math.round(delayMs) }, 'registering the switch again later');
          },
        });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  };

  return {
    request: () => {
      requested = true;
      wake();
    },
    ended: run(),
  };
}
