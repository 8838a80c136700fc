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
