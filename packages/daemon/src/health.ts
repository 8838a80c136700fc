import type { Clock } from '@ingot/net';

/** What a check says: fine, or why not, in words for an operator. */
export type CheckResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** All checks together, by name. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/** What makes a daemon ready to serve. A daemon without checks is ready once started. */
export interface Health {
  /** Adds or replaces the check `name`: asked at every `/readyz`. Call the result to take it out again. */
  check(name: string, probe: () => CheckResult | Promise<CheckResult>): () => void;
  /** Sets the standing answer of the check `name`: for a component that knows when its state changes. */
  set(name: string, result: CheckResult): void;
  /** Asks every check; one that throws, or takes longer than its deadline, has failed. */
  readiness(): Promise<Readiness>;
}

export interface HealthOptions {
  readonly clock: Clock;
  /** How long one check may take, milliseconds. Default 2000. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 2000;

export function createHealth({ clock, timeoutMs = DEFAULT_TIMEOUT_MS }: HealthOptions): Health {
  const probes = new Map<string, () => CheckResult | Promise<CheckResult>>();
  const ask = async (probe: () => CheckResult | Promise<CheckResult>): Promise<CheckResult> => {
    const deadline = Promise.withResolvers<CheckResult>();
    const timer = clock.setTimeout(() => {
      deadline.resolve({ ok: false, reason: `no answer within ${timeoutMs} ms` });
    }, timeoutMs);
    try {
      return await Promise.race([Promise.try(probe), deadline.promise]);
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    } finally {
      timer.cancel();
    }
  };
  return {
    check: (name, probe) => {
      probes.set(name, probe);
      return () => {
        if (probes.get(name) === probe) probes.delete(name);
      };
    },
    set: (name, result) => {
      probes.set(name, () => result);
    },
    readiness: async () => {
      const results = await Promise.all([...probes].map(async ([name, probe]) => [name, await ask(probe)] as const));
      return { ready: results.every(([, { ok }]) => ok), checks: Object.fromEntries(results) };
    },
  };
}
